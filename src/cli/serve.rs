//! `portcullis serve`: a real tenant, in Microsoft Teams.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;

use crate::app::App;
use crate::bot::review;
use crate::chat::teams::{self, Teams};
use crate::clock::Clock;
use crate::config::{self, Config, Env};
use crate::http::Shared;
use crate::identity::{Endpoint, Tokens};
use crate::jobs::Pace;
use crate::log::Actor;
use crate::store::Store;

use super::{Ended, output, runtime};

const EXAMPLE: &str = "A commented configuration to fill in, a check of it, then the bot:\n\n  \
    portcullis serve --example > portcullis.toml\n  \
    portcullis doctor --config portcullis.toml\n  \
    portcullis serve --config portcullis.toml";

/// Arguments of `serve`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Serve {
    /// The configuration file
    #[arg(long, value_name = "FILE", required_unless_present = "example")]
    config: Option<PathBuf>,
    /// Print a commented configuration file and end
    #[arg(long)]
    example: bool,
}

impl Serve {
    /// Serves until it is stopped.
    pub(super) async fn run(self) -> anyhow::Result<Ended> {
        let Some(file) = self.config else {
            output::line(Config::example());
            return Ok(Ended::Fine);
        };
        let env = Env::of_process();
        runtime::log_to_stderr(&env)?;
        let config = Config::load(&file, &env)?;
        let clock = Clock::system();
        let listener =
            TcpListener::bind(config.listen).await.with_context(|| format!("listening on {}", config.listen))?;
        let store = Store::open(config.store_url.expose_secret()).await?;
        store.migrate().await?;
        let explainer = runtime::explainer(&config, &clock)?;
        let teams = config.teams.as_ref().map(|teams| platform(teams, &config, &clock)).transpose()?;
        let mut app = App::new(config, clock, store)?.with_graph()?.with_explainer(explainer);
        if let Some(teams) = teams {
            app = app.with_platform(Arc::new(teams));
        }
        let app = Arc::new(app);
        let running = runtime::start(Shared { app: Arc::clone(&app), web: None }, listener, Pace::default())?;
        tracing::info!(address = %running.address, "serving");
        review::request(&app, &Actor::bot()).await?;
        running.until_stopped().await?;
        Ok(Ended::Fine)
    }
}

/// Teams as it is configured.
pub(super) fn platform(teams: &config::Teams, config: &Config, clock: &Clock) -> anyhow::Result<Teams> {
    let http = runtime::http_client()?;
    let login = Endpoint {
        http: &http,
        login_base: &teams.login_base,
        login_key: "teams.login_base",
        scope: &teams::scope(&teams.issuer),
        clock,
    };
    Teams::new(teams::Options {
        app_id: teams.app_id.clone(),
        tokens: Tokens::new(&teams.credential, &config.tenant.id, &login)?,
        openid_metadata: teams.openid_metadata.clone(),
        issuer: teams.issuer.clone(),
        service_hosts: teams.service_hosts.iter().cloned().collect(),
        tenants: teams.tenants.iter().cloned().collect(),
        allow_anonymous_loopback: false,
        key_refetch_floor: Duration::from_mins(5),
        retry: teams::Retry::default(),
        http,
        clock: clock.clone(),
    })
}
