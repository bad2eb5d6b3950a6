//! `headwater demo`: a server in a folder of its own, and the taxi pipeline through its public API.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::{Args, CommandFactory, FromArgMatches};
use headwater_env::Env;
use headwater_tools::demo::{self, DemoArgs};
use tokio::net::TcpListener;

use crate::{Failure, cli::Cli, logging, serve::Server, settings::Settings, variable};

/// The pipeline's settings, and the server to run the demo on.
#[derive(Debug, Clone, Args)]
pub struct DemoArguments {
    #[command(flatten)]
    pipeline: DemoArgs,

    /// Use the server at this address instead of starting one
    #[arg(long, value_name = "URL")]
    endpoint_url: Option<String>,

    /// Folder for the server that is started; a new one among the system's temporary folders by default
    #[arg(long, value_name = "FOLDER", conflicts_with = "endpoint_url")]
    data_dir: Option<PathBuf>,
}

/// Runs the pipeline and prints what was counted; fails when the counts do not agree.
pub async fn run(env: Env, arguments: DemoArguments) -> Result<ExitCode, Failure> {
    if let Some(endpoint) = arguments.endpoint_url {
        return pipeline(arguments.pipeline, endpoint, &env).await;
    }
    let dir = arguments.data_dir.unwrap_or_else(|| {
        std::env::temp_dir().join(format!("headwater-demo-{}", &env.random.uuid()[..8]))
    });
    let settings = settings(&dir).await?;
    logging::start(&settings)?;
    let server = Server::start(env.clone(), &settings).await?;
    let address = server.address;
    println!(
        "a server at http://{address} keeps its data in {}",
        dir.display()
    );
    let code = pipeline(arguments.pipeline, format!("http://{address}"), &env).await;
    server.stop().await;
    println!("\nThe server has stopped. To go on with what it holds:");
    println!(
        "  cargo run --release -- serve --listen {address} --data-dir {}",
        dir.display()
    );
    code
}

async fn pipeline(arguments: DemoArgs, endpoint: String, env: &Env) -> Result<ExitCode, Failure> {
    let report = demo::run(arguments, endpoint, env.clone(), variable).await?;
    print!("\n{report}");
    Ok(if report.agrees() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The settings of `headwater serve` with nothing said, but for the folder, a port that is free, and a quieter log.
async fn settings(dir: &std::path::Path) -> Result<Settings, Failure> {
    let command = Cli::command();
    let serve = command
        .find_subcommand("serve")
        .expect("serve is a command")
        .clone();
    let mut settings = Settings::from_arg_matches(&serve.try_get_matches_from(["serve"])?)?;
    settings.listen = free(settings.listen).await;
    settings.data_dir = dir.to_owned();
    settings.log = "warn".to_owned();
    Ok(settings)
}

/// The usual address when its port is free, otherwise one with a port that the system chooses.
async fn free(usual: SocketAddr) -> SocketAddr {
    match TcpListener::bind(usual).await {
        Ok(_) => usual,
        Err(_) => SocketAddr::new(usual.ip(), 0),
    }
}
