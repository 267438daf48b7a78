//! The only module that talks to Microsoft Graph.
