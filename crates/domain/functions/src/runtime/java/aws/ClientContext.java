package com.amazonaws.services.lambda.runtime;

import java.util.Map;

/** Stands in for AWS's interface where a package does not bring it. */
public interface ClientContext {
    Client getClient();

    Map<String, String> getCustom();

    Map<String, String> getEnvironment();
}
