package com.amazonaws.services.lambda.runtime;

/** Stands in for AWS's interface where a package does not bring it. */
public interface Client {
    String getInstallationId();

    String getAppTitle();

    String getAppVersionName();

    String getAppVersionCode();

    String getAppPackageName();
}
