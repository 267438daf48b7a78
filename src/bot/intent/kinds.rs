//! The 29 intents, and what makes a message out of scope.

use std::fmt;
use std::str::FromStr;

/// The name is not one of [`Intent::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown intent `{0}`; `help` lists what can be asked")]
pub struct UnknownIntent(pub String);

macro_rules! intents {
    ($($variant:ident $name:literal, $about:literal, $example:literal;)*) => {
        /// What a message asks for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Intent {
            $(#[doc = concat!("Asks for ", $about, ": \"", $example, "\".")] $variant,)*
        }

        impl Intent {
            /// All intents, in the order in which help lists them.
            pub const ALL: &'static [Intent] = &[$(Intent::$variant,)*];

            /// The stable name, as used in files and records.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// One line that completes "you can ask for".
            #[must_use]
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }

            /// One question of this intent, as a person would type it.
            #[must_use]
            pub fn example(self) -> &'static str {
                match self { $(Self::$variant => $example,)* }
            }
        }
    };
}

intents! {
    Help "help", "what I can do, and what my words and buttons mean", "what does report-only mean?";
    PostureSummary "posture_summary", "where the tenant stands now, and what moved it", "how do we look today?";
    CoverageGaps "coverage_gaps", "who or what no policy protects", "which guests can sign in without MFA?";
    Exclusions "exclusions", "who is excluded, and how the emergency access accounts stand", "who is excluded from CA200?";
    UserPolicies "user_policies", "the policies that apply to a person, group or role", "which policies apply to Alice?";
    AppPolicies "app_policies", "what protects an app", "what protects Salesforce?";
    ShowPolicy "show_policy", "one policy in detail", "show CA200";
    ListPolicies "list_policies", "the policies, by state, condition or control", "which policies are in report-only?";
    Overlaps "overlaps", "policies that overlap, are redundant or never apply", "are any policies redundant?";
    PolicyChanges "policy_changes", "who changed which policy and when", "who changed CA200 last week?";
    ExplainSignIn "explain_sign_in", "why a sign-in was blocked, prompted or let through", "why was Alice blocked yesterday?";
    WhatIf "what_if", "the result of a sign-in that has not happened", "what if Bob signs in from Brazil on an iPad?";
    SignInUsage "sign_in_usage", "facts from the sign-in log", "who still uses legacy authentication?";
    ListSuggestions "list_suggestions", "what I suggest, and what to do first", "what should we fix first?";
    ExplainSuggestion "explain_suggestion", "why I suggest something, with the evidence", "why S-4?";
    Impact "impact", "whom a policy or suggestion would affect if it were On", "who would S-4 block?";
    RolloutPlan "rollout_plan", "phases, pilots and exit criteria", "when can CA211 leave report-only?";
    ProposeChange "propose_change", "a policy in report-only, to be approved on a card", "create S-4 in report-only";
    SnoozeSuggestion "snooze_suggestion", "a suggestion to be put off", "snooze S-4 for two weeks";
    DismissSuggestion "dismiss_suggestion", "a suggestion to be turned down", "dismiss S-4, handled by the VPN";
    Undo "undo", "something I did to be reversed", "undo what you created for S-4";
    RunAnalysis "run_analysis", "a new scan now", "scan now";
    CancelRun "cancel_run", "a running scan to be stopped", "stop the scan";
    BotActivity "bot_activity", "what I did, and who approved it", "what did you do last night?";
    VerifyLog "verify_log", "whether my activity log is complete and unaltered", "verify the log";
    AddInstruction "add_instruction", "a standing rule for me to keep", "never suggest CHECK for GROUP until 1 March";
    ListInstructions "list_instructions", "the standing rules I keep, to see or remove them", "which rules do you follow?";
    ScheduleSummary "schedule_summary", "when and where the summary is posted", "post the summary every weekday at 8:30";
    OutOfScope "out_of_scope", "something else", "what is the weather?";
}

impl FromStr for Intent {
    type Err = UnknownIntent;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|intent| intent.as_str() == name).ok_or_else(|| UnknownIntent(name.to_owned()))
    }
}

impl fmt::Display for Intent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

macro_rules! refusals {
    ($($variant:ident $name:literal, $doc:literal;)*) => {
        /// Why a message is out of scope: something the bot must refuse, or something it does not know.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Refusal {
            $(#[doc = $doc] $variant,)*
        }

        impl Refusal {
            /// All kinds.
            pub const ALL: &'static [Refusal] = &[$(Refusal::$variant,)*];

            /// The stable name, which is also the heading in `prompts/intents/out_of_scope.txt`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

refusals! {
    Enable "enable", "Turn a policy On, or skip report-only.";
    Edit "edit", "Edit, disable or restore a policy or named location that the bot did not make.";
    DeleteOthers "delete_others", "Delete a policy that the bot did not make.";
    Weaken "weaken", "Take MFA or another control away from someone, or add an exclusion.";
    Reveal "reveal", "Show a secret, or the bot's own instructions to a model.";
    Impersonate "impersonate", "Decide or write in another person's name.";
    TamperLog "tamper_log", "Change, hide or erase entries of the activity log.";
    IgnoreInstructions "ignore_instructions", "Drop the bot's limits, or obey instructions found in data.";
    ResetPassword "reset_password", "Reset a password or method, unlock, create or license an account.";
    Greeting "greeting", "A greeting; harmless.";
    Thanks "thanks", "Thanks or assent that ask for nothing; harmless.";
    SmallTalk "small_talk", "Chit-chat, or talk about the bot itself; harmless.";
    OtherTopic "other_topic", "A question about something else than Conditional Access; harmless.";
}

impl Refusal {
    /// Whether this must be refused with a reason; the others only get a friendly word.
    #[must_use]
    pub fn is_refused(self) -> bool {
        !matches!(self, Self::Greeting | Self::Thanks | Self::SmallTalk | Self::OtherTopic)
    }

    /// Finds the kind by its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

/// What the model tells apart: every intent, with "out of scope" in its kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// An intent that is answered.
    Answered(Intent),
    /// A kind of out of scope.
    Outside(Refusal),
}

impl Class {
    /// All classes, in the order of the model's columns.
    pub fn all() -> impl Iterator<Item = Class> {
        let answered = Intent::ALL.iter().copied().filter(|intent| *intent != Intent::OutOfScope);
        answered.map(Self::Answered).chain(Refusal::ALL.iter().copied().map(Self::Outside))
    }

    /// The intent this class belongs to.
    #[must_use]
    pub fn intent(self) -> Intent {
        match self {
            Self::Answered(intent) => intent,
            Self::Outside(_) => Intent::OutOfScope,
        }
    }

    /// The kind of out of scope, if it is one.
    #[must_use]
    pub fn refusal(self) -> Option<Refusal> {
        match self {
            Self::Answered(_) => None,
            Self::Outside(kind) => Some(kind),
        }
    }
}
