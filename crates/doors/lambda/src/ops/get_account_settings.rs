//! GetAccountSettings: what this server bounds, and how much of it is taken.

use headwater_functions::limits;
use headwater_shapes_lambda::{
    AccountLimit, AccountUsage, GetAccountSettingsRequest, GetAccountSettingsResponse,
    ops::GetAccountSettings,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, concurrency, errors};

impl Handle<GetAccountSettings> for Lambda {
    async fn handle(
        &self,
        input: GetAccountSettingsRequest,
        _context: &Context,
    ) -> Result<GetAccountSettingsResponse, ApiError> {
        let GetAccountSettingsRequest {} = input;
        let usage = self.functions.usage().await.map_err(errors::other)?;
        let limit = AccountLimit {
            total_code_size: Some(limits::CODE_BYTES_MAX as i64),
            code_size_unzipped: Some(limits::UNPACKED_BYTES_MAX as i64),
            code_size_zipped: Some(limits::PACKAGE_BYTES_MAX as i64),
            concurrent_executions: Some(concurrency::shown(limits::ACCOUNT_CONCURRENCY)),
            unreserved_concurrent_executions: Some(concurrency::shown(self.functions.unreserved())),
        };
        Ok(GetAccountSettingsResponse {
            account_limit: Some(limit),
            account_usage: Some(AccountUsage {
                total_code_size: Some(usage.code_bytes as i64),
                function_count: Some(usage.functions as i64),
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_lambda::ops::{CreateFunction, GetAccountSettings};
    use serde_json::json;

    use crate::testing::{World, function};

    #[tokio::test]
    async fn what_is_taken_is_counted() {
        let world = World::new().await;
        let mut size = 0;
        for name in ["f", "g"] {
            let made = world.ok::<CreateFunction>(function(name)).await;
            size += made["CodeSize"].as_u64().unwrap();
        }
        assert_eq!(
            world.ok::<GetAccountSettings>(json!({})).await,
            json!({
                "AccountLimit": {
                    "TotalCodeSize": 80_530_636_800_u64, "CodeSizeUnzipped": 262_144_000, "CodeSizeZipped": 52_428_800,
                    "ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000,
                },
                "AccountUsage": { "TotalCodeSize": size, "FunctionCount": 2 },
            })
        );
    }
}
