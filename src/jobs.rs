//! The leased-job loop and the cron table.
