//! Starts the demo's tenant as a service on loopback, and says how to reach it.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use tokio::sync::oneshot;

use super::groups::group_id;
use super::people::People;
use super::state::{Clock, Demo};
use super::tenant::Tenant;
use super::token::{Client, Tokens};
use super::user_json::display_name;

/// How to start.
pub struct Options {
    /// The tenant to serve.
    pub tenant: Tenant,
    /// Port on 127.0.0.1; 0 picks a free one.
    pub port: u16,
    /// Folder in which every Graph request is appended as one line of JSON.
    pub record_dir: Option<PathBuf>,
    /// Tells the time.
    pub clock: Clock,
}

/// A person that the web chat can be opened as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Entra object id.
    pub id: String,
    /// Display name.
    pub name: String,
    /// `administrator`, `approver`, `reader` or `outsider`.
    pub role: &'static str,
}

/// The running service; dropping it stops it.
pub struct Service {
    demo: Arc<Demo>,
    stop: Option<oneshot::Sender<()>>,
    task: Option<tokio::task::JoinHandle<()>>,
    /// Tenant id.
    pub tenant_id: String,
    /// Client that reads Graph, and may write.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Client that writes policies, and can do little else.
    pub writer_id: String,
    /// Its secret.
    pub writer_secret: String,
    /// The bot's app id.
    pub app_id: String,
    /// Its secret.
    pub app_secret: String,
    /// People to play.
    pub people: Vec<Person>,
    /// Object id of the group of emergency access accounts, which an administrator would configure.
    pub emergency_group: String,
}

impl Service {
    /// Listens and serves; errors when the port is taken.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
        let listener = tokio::net::TcpListener::bind(address)
            .await
            .with_context(|| format!("listening on {address}: choose another port"))?;
        let base = format!("http://{}", listener.local_addr()?);
        let emergency_group = group_id(&options.tenant.people, options.tenant.groups.at("CA-BreakGlass"));
        let (people, tenant_id) = (picker(&options.tenant.people), options.tenant.id.clone());
        let tokens = Tokens::new(&tenant_id)?;
        let (graph, writer, bot) = (tokens.graph.clone(), tokens.writer.clone(), tokens.bot.clone());
        if let Some(folder) = &options.record_dir {
            keep_secrets(folder, [&graph, &writer, &bot])?;
        }
        let demo = Arc::new(Demo::new(base, options.clock, options.tenant, tokens).recording(options.record_dir));
        let (stop, stopped) = oneshot::channel::<()>();
        let router = super::graph::router(Arc::clone(&demo));
        let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
            let _ = stopped.await;
        });
        let task = tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the demo's tenant stopped serving");
            }
        });
        Ok(Self {
            demo,
            stop: Some(stop),
            task: Some(task),
            tenant_id,
            client_id: graph.id,
            client_secret: graph.secret,
            writer_id: writer.id,
            writer_secret: writer.secret,
            app_id: bot.id,
            app_secret: bot.secret,
            people,
            emergency_group,
        })
    }

    /// `http://127.0.0.1:port`: the login host, and the root of everything else.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.demo.base
    }

    /// Base of Graph; the client appends `/v1.0` or `/beta`.
    #[must_use]
    pub fn graph_base(&self) -> &str {
        &self.demo.base
    }

    /// The token endpoint of the tenant.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!("{}/{}/oauth2/v2.0/token", self.demo.base, self.tenant_id)
    }

    /// The Bot Framework's metadata.
    #[must_use]
    pub fn openid_metadata(&self) -> String {
        format!("{}/v1/.well-known/openidconfiguration", self.demo.base)
    }

    /// Service URL of the fake Teams connector.
    #[must_use]
    pub fn connector_url(&self) -> String {
        format!("{}/connector/", self.demo.base)
    }

    /// The state behind it, for a caller in the same process that shows it.
    #[must_use]
    pub fn state(&self) -> &Arc<Demo> {
        &self.demo
    }

    /// Stops after the requests that are being answered.
    pub async fn stop(mut self) {
        self.signal();
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }

    fn signal(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.signal();
    }
}

/// Notes the secrets of this start beside the recording, so that whoever looks through the logs knows what to look for.
fn keep_secrets(folder: &Path, clients: [&Client; 3]) -> anyhow::Result<()> {
    let path = folder.join(format!("demo-secrets-{}.txt", std::process::id()));
    let secrets = clients.map(|client| format!("{}\n", client.secret)).concat();
    let file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
    let written = file.and_then(|mut file| file.write_all(secrets.as_bytes()));
    written.with_context(|| format!("noting the demo's secrets in {}", path.display()))
}

fn picker(people: &People) -> Vec<Person> {
    // Three may approve, so that two are left where one of them has asked and two are needed.
    let roles = [
        ("Whitfield", "administrator"),
        ("Okafor", "approver"),
        ("Dahlberg", "approver"),
        ("Lindgren", "reader"),
        ("Fischer", "outsider"),
    ];
    let person = |(family, role)| {
        let user = People::cast_index(family);
        Person { id: people.id(user), name: display_name(people, user), role }
    };
    roles.map(person).into()
}
