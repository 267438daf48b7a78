//! The tenant as plain data, in Microsoft Graph's words.
