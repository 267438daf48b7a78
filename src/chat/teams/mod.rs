//! Microsoft Teams: the Bot Framework protocol and Adaptive Cards.
