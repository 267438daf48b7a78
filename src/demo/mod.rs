//! A made-up tenant of any size, served over HTTP as Microsoft Graph.
