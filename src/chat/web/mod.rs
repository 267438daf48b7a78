//! The local web chat: server-rendered, live by server-sent events.
