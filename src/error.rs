//! A refusal, said to the person, apart from a failure, which is logged.
