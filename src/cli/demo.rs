//! `portcullis demo`: the whole product on a made-up tenant, on this machine alone.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::app::App;
use crate::bot::review;
use crate::chat::teams::{self, Teams};
use crate::chat::web::{PersonView, RequestView, Sessions, WebChat};
use crate::clock::Clock;
use crate::config::{self, Config, Env, Loopback};
use crate::demo::{self, Seed, Service, Tenant};
use crate::http::{Shared, WebPages};
use crate::identity::{Endpoint, Tokens};
use crate::jobs::Pace;
use crate::log::Actor;
use crate::store::Store;

use super::{Ended, output, runtime};

const EXAMPLE: &str = "Open the address that it prints, and ask \"who is not covered by MFA?\".\n\n  \
    portcullis demo\n  \
    portcullis demo --users 20000 --approvals 2\n  \
    portcullis demo --model-url http://127.0.0.1:11434/v1 --model llama3.2";

/// Arguments of `demo`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Demo {
    /// User objects in the made-up tenant
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(50..=1_000_000))]
    users: u32,
    /// Another seed makes another tenant
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Port of the web chat and the Teams webhook; 0 picks a free one
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// Print one line of JSON with what a script needs to drive it
    #[arg(long)]
    json: bool,
    /// Let the Teams webhook accept unauthenticated activities from this machine, for the Agents Playground
    #[arg(long)]
    playground: bool,
    /// Keep the database in this file instead of a temporary one
    #[arg(long, value_name = "FILE")]
    database: Option<std::path::PathBuf>,
    /// An OpenAI-compatible endpoint, up to /v1, that may order facts (its key: `PORTCULLIS_MODEL_API_KEY`)
    #[arg(long, value_name = "URL")]
    model_url: Option<reqwest::Url>,
    /// Name of the model at that endpoint
    #[arg(long, default_value = "default")]
    model: String,
    /// How long the model may take, in milliseconds
    #[arg(long, default_value_t = 8_000, value_name = "MS")]
    model_deadline: u64,
    /// How many people must approve
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    approvals: u8,
    /// Days of the sign-in and audit logs that are read
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=30))]
    log_days: u16,
    /// What goes wrong with the made-up Graph, as JSON, such as '{"failRate":0.2,"kind":"throttled"}' or '{"limits":true}'
    #[arg(long, value_name = "JSON", value_parser = faults, default_value = "{}")]
    faults: demo::faults::Faults,
}

/// Reads `--faults`.
fn faults(text: &str) -> Result<demo::faults::Faults, serde_json::Error> {
    serde_json::from_str(text)
}

impl Demo {
    /// Runs until it is stopped.
    pub(super) async fn run(self) -> anyhow::Result<Ended> {
        let env = Env::of_process();
        runtime::log_to_stderr(&env)?;
        let clock = Clock::system();
        let listener = TcpListener::bind(("127.0.0.1", self.port))
            .await
            .with_context(|| format!("port {} is taken: choose another with --port, or --port 0", self.port))?;
        let web = format!("http://{}", listener.local_addr()?);
        let service = self.tenant(&clock, &env).await?;
        service.state().faults().clone_from(&self.faults);
        let folder = Scratch::new()?;
        let app = self.app(&service, &clock, &folder, &env).await?;
        let (shared, app) = self.shared(app, &service, &web)?;
        let running = runtime::start(shared, listener, pace())?;
        crate::bot::summary::subscribe_everyone(&app, &people(&service)).await?;
        review::request(&app, &Actor::bot()).await?;
        self.announce(&service, &web);
        running.until_stopped().await?;
        service.stop().await;
        Ok(Ended::Fine)
    }

    fn model(&self, env: &Env) -> Option<config::Model> {
        Some(config::Model {
            base_url: self.model_url.clone()?,
            model: self.model.clone(),
            api_key: env.model_api_key(),
            deadline: Duration::from_millis(self.model_deadline),
            mode: config::ModelMode::Pseudonymised,
        })
    }

    async fn tenant(&self, clock: &Clock, env: &Env) -> anyhow::Result<Service> {
        let today = clock.now();
        let tenant = Tenant::generate(&Seed { users: self.users, seed: self.seed, today });
        let clock = clock.clone();
        Service::start(demo::Options {
            tenant,
            port: 0,
            record_dir: env.record_folder(),
            clock: Arc::new(move || clock.now()),
        })
        .await
    }

    async fn app(&self, service: &Service, clock: &Clock, folder: &Scratch, env: &Env) -> anyhow::Result<App> {
        let file = self.database.clone().unwrap_or_else(|| folder.0.join("portcullis.db"));
        let store_url = format!("sqlite:{}", file.display());
        let mut config = Config::loopback(Loopback {
            graph: service.graph_base(),
            login: service.base_url(),
            tenant_id: &service.tenant_id,
            client_id: &service.client_id,
            client_secret: &service.client_secret,
            store: &store_url,
        })?;
        config.tenant.name = "Nordwerk".into();
        config.graph.log_days = self.log_days;
        if self.faults.limited() {
            config.at_the_pace_of_production()?;
        }
        config.tenant.settings.emergency_access = [service.emergency_group.clone()].into();
        config.write.credential = Some(config::Credential::ClientSecret {
            client_id: service.writer_id.clone(),
            secret: service.writer_secret.clone().into(),
        });
        config.who.approvals_needed = self.approvals;
        config.model = self.model(env);
        let store = Store::open(&store_url).await?;
        store.migrate().await?;
        let explainer = runtime::explainer(&config, clock)?;
        Ok(App::new(config, clock.clone(), store)?.with_graph()?.with_explainer(explainer))
    }

    fn shared(&self, app: App, service: &Service, web: &str) -> anyhow::Result<(Shared, Arc<App>)> {
        let sessions =
            Sessions::new(&runtime::random_key()?, vec![web.to_owned(), web.replace("127.0.0.1", "localhost")]);
        let chat = Arc::new(WebChat::new(sessions, app.config.schedule.zone.clone())?);
        let app = Arc::new(app.with_platform(Arc::clone(&chat) as _).with_platform(Arc::new(self.teams(service)?)));
        let state = Arc::clone(service.state());
        let requests = move || state.requests().iter().map(request_view).collect();
        let pages = WebPages {
            chat,
            people: people(service),
            banner: Some("Made-up tenant. Nothing leaves this machine.".into()),
            requests: Some(Box::new(requests)),
        };
        Ok((Shared { app: Arc::clone(&app), web: Some(Arc::new(pages)) }, app))
    }

    fn teams(&self, service: &Service) -> anyhow::Result<Teams> {
        let local = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let tenants = vec![service.tenant_id.clone()];
        let (issuer, http, clock) = ("https://api.botframework.com", runtime::http_client()?, Clock::system());
        let (client_id, secret) = (service.app_id.clone(), service.app_secret.clone().into());
        let login = Endpoint {
            http: &http,
            login_base: &service.base_url().parse()?,
            login_key: "teams.login_base",
            scope: &teams::scope(issuer),
            clock: &clock,
        };
        let bot = config::Credential::ClientSecret { client_id, secret };
        Teams::new(teams::Options {
            app_id: service.app_id.clone(),
            tokens: Tokens::new(&bot, &service.tenant_id, &login)?,
            openid_metadata: service.openid_metadata().parse()?,
            issuer: issuer.to_owned(),
            service_hosts: local,
            tenants,
            allow_anonymous_loopback: self.playground,
            key_refetch_floor: Duration::from_secs(1),
            retry: teams::Retry::default(),
            http,
            clock,
        })
    }

    fn announce(&self, service: &Service, web: &str) {
        if self.json {
            let people: Vec<_> = service
                .people
                .iter()
                .map(|person| json!({"name": person.name, "id": person.id, "role": person.role}))
                .collect();
            output::line(
                &json!({
                    "web": web, "teams": format!("{web}/api/messages"), "graph": service.graph_base(),
                    "token": service.token_url(), "tenantId": service.tenant_id, "clientId": service.client_id,
                    "clientSecret": service.client_secret, "appId": service.app_id,
                    "openidMetadata": service.openid_metadata(), "people": people,
                })
                .to_string(),
            );
            return;
        }
        output::line(&format!(
            "Portcullis demo: a made-up tenant of {} users. Nothing leaves this machine.\n\n  Open {web}\n\n\
             Graph of the made-up tenant: {}\nStop with Ctrl-C.",
            self.users,
            service.graph_base()
        ));
    }
}

fn people(service: &Service) -> Vec<PersonView> {
    let view = |person: &demo::Person| PersonView {
        id: person.id.clone(),
        name: person.name.clone(),
        role: person.role.to_owned(),
    };
    service.people.iter().map(view).collect()
}

/// A request as the demo's service recorded it.
fn request_view(request: &Value) -> RequestView {
    let text = |name: &str| request.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let query = text("query");
    let address = if query.is_empty() { text("path") } else { format!("{}?{query}", text("path")) };
    RequestView {
        at: text("time").parse().unwrap_or_default(),
        method: text("method"),
        address,
        status: request.get("status").and_then(Value::as_u64).and_then(|status| status.try_into().ok()).unwrap_or(0),
        body: request.get("body").filter(|body| !body.is_null()).map(Value::to_string),
    }
}

/// Nobody waits for a demo: jobs are looked for often.
fn pace() -> Pace {
    Pace { poll: Duration::from_millis(100), retry: Duration::from_millis(200), ..Pace::default() }
}

/// A folder that goes away with the demo.
#[derive(Debug)]
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new() -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("portcullis-demo-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&folder).context("making a folder for the demo's database")?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left behind, it is only a temporary folder.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
