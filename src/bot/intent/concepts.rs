//! Word families: the many ways to say one thing, so that a rule or the model needs to know it once.
//!
//! Patterns see the normalised text of [`Message`]: lower case, no accents, names and ids replaced by `_policy`,
//! `_sugg`, `_code`, `_person`, `_place` and so on. Each is matched at word boundaries.

use std::sync::LazyLock;

use regex_automata::PatternSet;

use super::pattern::Patterns;
use super::text::Message;

/// Name and pattern; `\b(?:` and `)` are put around it.
const CONCEPTS: &[(&str, &str)] = &[
    // Questions and orders.
    (
        "who",
        r"who|whom|whose|who's|anyone|anybody|someone|somebody|which (?:user|person|people|admin|account|group|guest)s?",
    ),
    ("when", r"when|what time|since when|how long ago|at which time"),
    (
        "why",
        r"why|how come|what for|for what reason|the reason|what(?:'s| is| was)? (?:the )?(?:caus|reason)\w*|cause|what made|what makes",
    ),
    (
        "howto",
        r"how (?:do|can|could|should|would|to|does|may|must) ?(?:i|we|one|you|to|someone|a person)?|where (?:do|can) (?:i|we)|is there a (?:button|command|way)",
    ),
    (
        "meaning",
        r"what (?:is|are|does|do|means?|'s) .{0,40}(?:mean|means|stand for|good for)|mean(?:s|ing)?(?: of)?|what(?:'s| is) the (?:diff|difference) between (?:a )?(?:snooz|dismiss|report|on)\w*|explain the (?:word|term|button)s?|definition of (?:a|the)? ?(?:term|word)",
    ),
    (
        "list",
        r"list|show|enumerate|print|display|give me|inventory|table|catalogue|overview of all|all of (?:them|the)",
    ),
    (
        "count",
        r"top ten|ratio of|count our|how many|how much|how often|number of|count(?: of)?|what share|share of|percent\w*|what portion|proportion|top \d*|ratio|split|statistics?|stats|biggest|most|average|per (?:day|week|month|country|department|app|user|user)|figures",
    ),
    ("please", r"please|pls|kindly|could you|can you|would you|i(?:'d| would) like|i want|we (?:want|need)"),
    (
        "capability",
        r"(?:can|could|may|will|do|are) (?:you|the bot|this bot|it) (?:able|allowed|capable|even|only|also|actually|ever|really|read|write|work|support|speak|change|delete|store|keep|use|have|need|do)|are you (?:read|only|able|allowed)|your (?:permissions?|limits?|rights|abilities|features)|what can (?:you|i|this)|entitled|who (?:of us )?(?:may|is allowed|can|is entitled|has the right)",
    ),
    (
        "newbie",
        r"newbie|newcomer|i'm new|i am new|i am lost|documentation|manual|usage|commands?|tutorial|getting started|get started|introduc\w+ yourself",
    ),
    // Runs.
    (
        "start",
        r"by hand|do .{0,20} now|start|launch|kick(?:ed)? off|trigger|fire|initiate|begin|execute|perform|re-?run|run|do (?:a|another|one) |get going|make (?:a|an|one)|set off|spin up|crank",
    ),
    (
        "run",
        r"look over|fetch new|whole tenant|runs?|scan\w*|rescan|analys[ei]s?|analy[sz]e|analyzing|pass|checks?|recheck|job|sweep|evaluation|re-?evaluate|recompute|recalculate|refresh|reload|re-?read|sync|crawl|_run",
    ),
    (
        "again",
        r"again|anew|fresh|re-?\w*check|once more|another round|redo|redone|from scratch|latest state|right now|straight ?away|immediately",
    ),
    (
        "stop",
        r"call .{0,10}off|out of the queue|quit|make .{0,20}stop|stop\w*|cancel\w*|abort\w*|halt|kill|terminate|interrupt|quit|break (?:it |that |this )?off|call (?:it |that )?off|hold on|cut .{0,10}short|pull the plug|discontinue|abandon|never ?mind|hang on|cease|whoa|shut (?:it|that) down|wait",
    ),
    ("report", r"stop (?:sending|posting|suggest\w*|recommend\w*|report\w*|propos\w*|show\w*)"),
    (
        "running",
        r"running|in progress|going on|still (?:going|working|busy)|hangs?|stuck|been at it|under ?way|ongoing",
    ),
    // Summary and schedule.
    (
        "summary",
        r"summar(?:y|ies)|digests?|recap|briefing|round-?up|(?:daily|weekly|monthly|morning) (?:report|post|message|thing|mail|update|overview|numbers)|reports?|newsletter|bulletin|status mail",
    ),
    (
        "summaryname",
        r"(?:daily|weekly|monthly|morning|today\'s) (?:summary|digest|report|recap|briefing|overview|update|numbers)",
    ),
    (
        "deliver",
        r"send(?:ing)?|posts?|posting|posted|deliver\w*|subscri\w+|unsubscri\w+|e-?mail(?:ed)? me|receive|drop it in|come[s]? (?:in|at|out)|push it to",
    ),
    (
        "recur",
        r"every|each|daily|weekly|monthly|quarterly|weekdays?|weekends?|working days|(?:mon|tues|wednes|thurs|fri|satur|sun)days|once (?:a|per) (?:day|week|month)|regularly|automatically|twice",
    ),
    (
        "sched",
        r"pause[ds]?|resume|stop\w*|unsubscri\w+|subscri\w+|subscribed|(?:to|at|before|until|from) _time|earlier|later|schedule|time|channel|inbox|no more|not on|every|each|instead|on hold|weekends?|holidays?|who (?:gets|receives|is on)|when (?:do|does|is|will)|start (?:the|sending|posting)|distribution|postpone|suspend|again|sign .{0,20}up",
    ),
    ("clock", r"_time|o'?clock|noon|midnight|half past \w+|am|pm"),
    (
        "day",
        r"_day|tomorrow|monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tue|wed|thu|fri|sat|sun|today",
    ),
    (
        "posture",
        r"rating|quota|doing overall|state of (?:the tenant|conditional access|our)|big numbers|above or below|be aware of|was off|was away|bring me up|overall|posture|score|grade|rating|mark|health|how (?:are|do) we (?:doing|do|stand|look|fare)|where (?:do )?we stand|how secure|are we (?:ok|safe|secure|fine|good)|benchmark|baseline|maturity|kpis?|dashboard|trend|state of play|big picture|catch me up|up to speed|up to date|did i miss|traffic light|in order|shape",
    ),
    (
        "fell",
        r"drop(?:ped)?|fell|fall(?:en)?|down|rise|rose|jump(?:ed)?|moved?|improve[ds]?|worse|better|went|gone|climb(?:ed)?|lower|higher|dip(?:ped)?",
    ),
    // Policies.
    ("policy", r"polic(?:y|ies|e|ys)|rules?|_policy|ca rules?|conditional access|_quoted"),
    ("policies", r"policies|rules|policys|polices|ca rules"),
    ("policyid", r"_policy|_quoted"),
    (
        "apply",
        r"appl(?:y|ies|ied)|in force|in scope|fall(?:s)? under|subject to|effective|hit[s]?|target(?:s|ed)?|govern(?:s|ed)?|bind[s]?|assigned to|come[s]? under|in effect|catch(?:es)?|reach(?:es)?|affects me",
    ),
    (
        "via",
        r"(?:through|via|by|from) (?:which|what) (?:\w+ )?(?:group|route|membership|role|rule)|which group|how come|by what route|end(?:ed|s)? up (?:in|under)|land(?:ed|s)? in|in scope|why (?:does|is|am|are|do) .{0,30}(?:in|under|subject|scope|fall|bound)",
    ),
    (
        "freq",
        r"how (?:often|long|frequently|many (?:hours|days|times))|after (?:what time|how (?:many|long))|sign-in frequency|session (?:limit|length|lifetime|duration)s?|re-?authenticate|time limit",
    ),
    (
        "required",
        r"compulsory|made to use|same requirements|requirements|required?|requires|demand(?:s|ed)?|must|need[s]?|have to|has to|forced?|oblig\w+|ask(?:s|ed)? for|supposed to|mandatory|enforced on",
    ),
    (
        "mfa",
        r"mfa|2fa|multi-?factor|two-?factor|second factor|authenticator|phishing[- ]resistant|passwordless|fido2?|passkeys?|second step",
    ),
    (
        "protect",
        r"protect(?:s|ed|ing|ion)?|secur(?:e|es|ed|ing)|guard(?:s|ed|ing)?|lock(?:ed)? down|safeguard\w*|in front of|shield\w*|access requirements|what does it take",
    ),
    (
        "content",
        r"named in|look like|plain english|what is it for|contain|what(?:'s| is| stands) (?:in|inside)|inside|contain\w*|include[sd]?|target(?:s|ed)?|grant(?: controls?)?|session controls?|conditions?|settings?|configured|configuration|definition|json|details?|scope[d]?|describe|state|sign-in frequency|full config\w*|what does .{0,30} do|assignments?",
    ),
    (
        "exists",
        r"(?:do|have) we (?:have|got|own|run)|is there (?:a|an|any|some|already)|are there any|does (?:a|any) .{0,20} exist|exists?|have we|anything (?:on|about|for|against)",
    ),
    (
        "named",
        r"start(?:s|ing)? with|begin(?:s|ning)? with|in the name|names? (?:containing|with)|contain(?:s|ing)|called|prefix|with .{0,15} in (?:it|the name)",
    ),
    (
        "creator",
        r"(?:created|made|built|authored|written|set up) by|did you (?:create|make)|you (?:created|made)|microsoft[- ]managed|author|creator",
    ),
    ("reportonly", r"report_only|audit mode|monitor(?:ing)? mode"),
    ("inmode", r"(?:in|sits? in|stuck in|still in) report_only|report_only (?:ones|leftovers|policies)"),
    (
        "onoff",
        r"enabled|disabled|enforced|(?:is|are|be|was|currently|switched|turned|state|status|those|ones|policies) (?:\w+ )?(?:on|off)|live|active|inactive|not in use",
    ),
    (
        "overlap",
        r"surplus|retired?|never (?:fires?|matches|applies|takes effect)|fold\w*|step on|both sets|in (?:its|their) place|too many (?:policies|rules)|fewer policies|say the same|wood for the trees|plough|cover each other|mutually|overlap\w*|duplicat\w*|redundan\w*|shadow\w*|merge[ds]?|no ?(?:body|one) needs|no longer needed|unneeded|mergeable|consolidat\w*|conflict\w*|contradict\w*|identical|superfluous|needless|unnecessary|obsolete|superseded|supersedes?|twins?|twice|do(?:es)? the same|the same thing|same job|unify|combine[ds]?|tidy|clean ?up|simplif\w*|useless|pointless|dead weight|get(?:s)? in each other|cancel each other|fight each other|subset|equivalent|double|cover the same|prune|thin out|surplus|fold\w* (?:in)?to",
    ),
    ("compare", r"compar\w+|difference between|differ\w*|versus|vs\.?|side by side|against each other"),
    (
        "removed",
        r"(?:were|was|is|be|got) (?:removed|deleted|gone|dropped)|vanish\w*|disappear\w*|without (?:it|_policy)|if we (?:remove|delete|drop|retire|threw)\w*|still need(?:ed)?|do we (?:still )?need|get rid of",
    ),
    (
        "changed",
        r"edits?|moved away from|deviat\w+|diverg\w+|chang(?:e|es|ed|ing)|modif(?:y|ied|ies|ication|ications|ier)|edit(?:s|ed|ing)?|altered|alteration|touched|amended|tweak\w*|updated|history|drift\w*|before[/ -](?:and[ -])?after|renamed|weakened|loosened|what's different|different (?:to|from|in|since|than)|changelog|fiddled|messed|revised|reconfigured",
    ),
    (
        "madeoff",
        r"(?:who|when).{0,40}(?:added|removed|disabled|enabled|deleted|created|turned|switched|put|changed)|when.{0,40}excluded|was .{0,60}(?:added|removed|disabled|enabled|deleted|created|edited|changed)",
    ),
    // Exclusions and gaps.
    (
        "exclude",
        r"carved out|exemption\w*|(?:leave|left|leaves|leaving) .{0,25}out|let .{0,30}off|not subject|exclu\w+|exempt\w*|exceptions?|carve-?outs?|whitelist\w*|allow-?list\w*|left out|leave[s]? .{0,20}out|let off|spared|spares?|free pass|bypass\w*|special treatment|opt(?:ed)?[- ]out|skip(?:s|ped)? (?:the )?(?:mfa|second)|kept out|immune|waiver|excused|waved through|_exgroup",
    ),
    ("breakglass", r"break[- ]?glass|emergency (?:access )?(?:account|admin|user|identit)\w*|breakglass|bg-\w+"),
    (
        "gap",
        r"unguarded|taken care of|slip(?:s)? past|(?:in|into) none of|terra incognita|open for|without tripping|did(?:n\'t| not) (?:land|end up) in|no one|nothing (?:at all )?(?:apply|applies|stops)|not made to|untouched by|not touched|without being|go(?:es)? unnoticed|blank areas?|weak points?|gaps?|holes?|blind spots?|loopholes?|(?:not|isn't|aren't|never|nothing|nobody|no one|no) .{0,20}(?:covered|protected|covers?|protects?|touch(?:es|ed)?|caught|catch(?:es)?)|uncovered|unprotected|unguarded|escape[sd]?|slip(?:s|ped)? through|fall(?:s)? (?:through|between)|no (?:policy|rule|policies|mfa|control|restriction)\b|without (?:any |a |an )?(?:policy|policies|rule|mfa|protection|control|restriction|second)\w*|matched no|nobody thought of|forgot(?:ten)?|overlooked|missed|not in any|outside (?:of )?(?:all|any|every|our)|only a password|just a password|password alone|wide open|left open|open door|sneak|walk in|coverage|unmonitored|slipping|through the net|weak spots?",
    ),
    // Sign-ins.
    (
        "signin",
        r"sign(?:s|ed|ing)?[- ]?ins?|sign(?:s|ed|ing)? (?:in|on)|log(?:s|ged|ging)?[- ]?(?:ins?|on|ons)|authenticat\w+|got in|gets? in|get into|let in|came in|connects?|access(?:es|ed)?|opens?|reach|read (?:his|her|my|their)? ?mail|made it (?:in|through)",
    ),
    (
        "blocked",
        r"block(?:s|ed|ing)?|denied|refused|lock(?:ed|s)? (?:\w+ )?out|locked|kick(?:s|ed)? (?:\w+ )?out|stopped|rejected|can ?not|can't|cannot|couldn't|could not|unable|failed|fails?|failing|failure|not let|thrown out|bounced|died|down|turned away|broke|doesn't work|not work(?:ing)?|stopped working|error|won't let",
    ),
    (
        "prompted",
        r"prompt(?:s|ed)?|asked (?:for|to)|asks? me|mfa request|re-?authenticat\w*|log in again|sign in again|every time|all the time|keeps? asking|nag\w*",
    ),
    (
        "past",
        r"yesterday|last night|this morning|ago|was|were|did|got|has been|this afternoon|tonight|earlier|just now|recently|_period|swears|reported|reports|happened|made it|today",
    ),
    (
        "hypo",
        r"what if|what-if|whatif|would|could|suppose|assum(?:e|ing)|imagine|simulat\w*|hypothetic\w*|pretend|let's say|what happens (?:if|when)|scenario|in case|if (?:he|she|they|i|we|a|an|the|somebody|someone|_person)|next (?:week|month)|tomorrow|will|going to|can (?:i|he|she|they|we|_person|a|an|our)|sign-in test|test sign-in",
    ),
    (
        "travel",
        r"travel\w*|flies|fly|flying|abroad|holiday|vacation|trip|hotel|airport|from home|home office|conference|on the road|business trip|roaming|train",
    ),
    (
        "impact",
        r"keep .{0,15}out|cause .{0,10}trouble|whining|among those|would block|stops? working|what did it see|get(?:s)? in the way|noise|real stuff|impact\w*|affect(?:s|ed)?|effects?|hit|hurt[s]?|break(?:s|age)?|harm|lose[s]?|blast radius|consequences?|side effects?|suffer\w*|shut out|thrown? out|catch|caught|would have|lock (?:\w+ )?out|trouble|annoy\w*|pain\w*|friction|collateral|dry run|replay|notice|complain\w*|fallout|downside|disrupt\w*|inconvenienc\w*|casualt\w*|tickets",
    ),
    (
        "enable",
        r"enabl(?:e|ing)|enforc(?:e|ing|ement)|turn(?:ing|ed|s)? (?:\w+ )?on|switch(?:ing|ed|es)? (?:\w+ )?on|activat(?:e|ing|ed)|go(?:es|ing)? live|goes on|were on|was on|is on|in force|hits? the",
    ),
    (
        "ready",
        r"ready|readiness|leave report_only|long enough|good enough|time to (?:move|go)|go[- ]?live|mature|graduat\w*|safe to|sign-?off",
    ),
    (
        "rollout",
        r"in which steps|what order|earliest date|target date|go-live|move on to|pilot group|next wave|roll-?outs?|roll(?:ed|ing)? out|phases?|phased|pilot\w*|waves?|rings?|stages?|staged|exit criteri\w+|timeline|roadmap|widen\w*|in which order|what order|order of|sequence of (?:steps|the)|next step|milestones?|who goes first|first wave|cohorts?|gradual\w*|big bang|step by step|schedule for (?:intro|roll)\w*|introduc(?:e|ing)",
    ),
    (
        "lastseen",
        r"last (?:sign|log|seen|used|time)\w*|for the last time|(?:signed|logged) (?:in|on) (?:lately|recently)",
    ),
    (
        "usage",
        r"us(?:e|es|ed|ing|age)|still (?:on|around|seen|used)|last (?:sign|log|seen|used)\w*|sign-ins|logins|logons|log-?ins|traffic|adoption|seen|real (?:logins|numbers)",
    ),
    ("legacy", r"legacy(?: auth\w*)?|basic auth\w*|imap|pop3?|smtp|ropc|device code|activesync|eas|mapi"),
    ("code", r"_code|correlation id|request id|trace id|aadsts\w*|error code"),
    // Suggestions.
    (
        "sugg",
        r"open points|prop[o]sal|points open|_sugg|suggest\w*|sugest\w*|recommend\w*|recomend\w*|proposals?|propos(?:e|ed|es)|advi[cs]e|ideas?|findings?|tips?|to-?dos?|backlog|measures?|open items",
    ),
    ("suggid", r"_sugg"),
    (
        "fix",
        r"deserves? (?:our )?attention|safer|fix(?:es)?|improve|do first|first thing|priorit\w+|most urgent|quick wins?|low[- ]hanging|what next|next on|start with|tackle|most important|worth doing|need[s]? (?:my|our) attention",
    ),
    (
        "evidence",
        r"evidence|proof|prove|source|rationale|reasoning|background|confiden\w+|sure|severity|justif\w+|bas(?:ed|is|e)|behind|come[s]? from|danger|risk (?:if|of (?:not|leaving|ignoring))|benefit|convince|elaborate|tell me more|more (?:on|about|detail)|leave .{0,25}(?:as is|undone|open|alone|lying)|ignore it|do nothing|say so|keep (?:saying|telling)|you (?:say|claim|think|believe|insist)|detail",
    ),
    (
        "approve",
        r"approv\w+|accept(?:ed|s)?|apply|implement|go ahead|proceed|carry (?:it )?out|take .{0,30}forward|do it|let's (?:do|go|try)|make it so|create|green light|lgtm|sign(?:ed)? off",
    ),
    (
        "draft",
        r"draft|create|write (?:me )?a|build|prepare|propose|amend(?:ment)?|new policy|generate|compose|put together|make a|set up a|clone|copy",
    ),
    ("card", r"cards?|approval (?:request|card)|for approval|buttons?"),
    (
        "later",
        r"later|snooz\w*|postpon\w*|put (?:\w+ )?off|defer|delay|park|shelve|on hold|on ice|not now|remind|come back to|ask (?:me )?again|mute|silence|hide|can wait|not (?:this|before|until|yet)|until|till|before (?:summer|winter|spring|autumn|next|the)|push (?:\w+ )?(?:back|to)|back burner|revisit|sleep on|after the|keep .{0,15}quiet|next (?:quarter|sprint|year)|some other time|zzz",
    ),
    (
        "dismiss",
        r"off the table|live with the risk|not going to happen|does not concern|doesn\'t concern|throw .{0,20}out|take it (?:away|off)|dismiss\w*|reject\w*|declin\w*|close|won't fix|wontfix|won't do|will not do|not interested|false (?:positive|alarm)|n/a|not applicable|not relevant|doesn't apply|does not apply|risk accepted|accept(?:ed)? (?:the )?risk|turn (?:\w+ )?down|discard|drop|bin|scrap|no thanks|forget (?:about )?(?:it|_sugg)|end of story|nonsense|by design|don't (?:want|need)|do not (?:want|need)|never (?:going to|gonna)|veto|refuse|out of the question|not for us|irrelevant|mark .{0,20}(?:as )?(?:done|closed)",
    ),
    (
        "yes",
        r"yes|yep|yeah|yup|sure|ok|okay|go|go ahead|do it|please do|confirm(?:ed)?|approved?|agreed|_yes|sounds good|fine|proceed|absolutely|of course|lgtm|aye|ja|oui|si",
    ),
    ("no", r"no|nope|nah|don't|do not|never|not|_no|neither|none|rather not|nay|nein|non"),
    (
        "ordinal",
        r"first|second|third|fourth|last|both|all (?:three|four|of them|of these)?|number \d+|the other|two|three|ones?|either|latter|former",
    ),
    // Instructions.
    (
        "standing",
        r"for your memory|disregard|never (?:bring up|mention|show|ever)|until the end of|from now on|in (?:the )?future|always|never (?:suggest|recommend|propose|touch|count|mention)|from today|as of now|whenever|remember|keep in mind|bear in mind|note (?:for you|that|:)|take note|for your information|fyi|just so you know|be aware|you should know|new (?:standing )?(?:rule|instruction)|standing (?:rule|order|instruction)|(?:add|set) (?:a|an|one more) (?:\w+ )?(?:rule|instruction|note)|treat|consider|convention|ever again|any ?more|for good|henceforth|going forward|learn this|assume from|count .{0,20} as|don't count|leave .{0,30}out of|ignore (?:the |all |accounts)|in all (?:of )?(?:your|analyses)|stop (?:suggest|recommend|propos|show|report)\w*|don't ever|rule of thumb",
    ),
    (
        "instructions",
        r"standing orders?|conventions?|somebody tell you|did (?:we|i|somebody|anyone) (?:tell|teach|instruct|ask) you|instructions?|standing rules?|your rules|(?:show|list|which|what) (?:\w+ ){0,3}rules|memory|rule (?:no\.? ?)?_num|notes?|told you|taught you|gave you|you (?:know|remember) (?:about|of|from)|remembered|(?:old|some|the|that|any) rule|preferences|conventions",
    ),
    (
        "outdated",
        r"no longer|not .{0,20}any ?more|outdated|obsolete|expired?|is gone|closed|dissolved|lift|over|again include|unlearn|forget what|forget the|may .{0,25}again|can .{0,30}again|doesn't hold|not valid|remove|delete|erase|drop|revoke",
    ),
    // Bot and log.
    ("you", r"you|your|you've|yourself|the bot|bot|assistant"),
    (
        "did",
        r"did you|have you|you did|you've|you have|you (?:sent|made|created|wrote|posted|skipped|touched|messaged|approved|ran)|your (?:activity|actions?|doings)|(?:was|is) (?:it|that|this) you|were you|by you|who (?:has )?approved|who (?:has )?dismissed|who (?:has )?snoozed|whom did|your write calls?",
    ),
    ("log", r"logs?|journal|records?|audit trail|logbook|entry|entries|sequence numbers?|your history|the history you"),
    (
        "integrity",
        r"tamper\w*|intact|complete(?:ness)?|unaltered|untouched|hash\w*|chain|integrity|falsif\w*|genuine|manipulat\w*|consistent|consistency|forged|doctored|missing entr\w*|gaps? in (?:the |your )?(?:sequence|numbers|log|chain|record|journal|entr)\w*|holes? in (?:the |your )?(?:sequence|numbers|log|chain|record|journal|entr)\w*|trust (?:the|your|that|this|what)|trustworthy|verif(?:y|ied|ication)|authentic\w*|checksum|signatures?|reliable|rely on|rewrit\w*",
    ),
    (
        "removal",
        r"remove|delete|get rid of|gone|has to go|take .{0,30}out|get .{0,20}out|away|discard|kill|clean up|not wanted|don\'t need|no longer need",
    ),
    (
        "undo",
        r"turn (?:it|that) back|bring (?:back|\w+ back)|take .{0,40}out again|should not have|shouldn\'t have|not what i meant|revoke my|undo|un-?do|undone|revert\w*|revers(?:e|ed|al)|roll(?:ed)? ?back|unwind|take (?:\w+ )?back|back (?:\w+ )?out|back it out|reopen|re-open|undismiss|un-?approve|un-?snooze|withdraw my|by mistake|by accident|accidentally|oops|wrong (?:card|one|button|suggestion|click)|retract|recall|bring (?:\w+ )?back|restore the (?:sugg|dismiss)\w*|didn't mean|misclick\w*",
    ),
    (
        "yours",
        r"(?:you|bot|yours) (?:have )?(?:just )?(?:made|created|added|did|set up|put)|of yours|your (?:new )?(?:report_only )?policy|yours|you (?:made|created)",
    ),
    // Things named.
    ("app", r"_app|apps?|applications?|portal|cloud apps?"),
    ("appname", r"_app"),
    ("person", r"_person|_upn|he|she|him|her|ceo|cfo|cto|ciso|my (?:colleague|boss|manager)"),
    ("me", r"me|my|i|mine"),
    (
        "group",
        r"guests?|admins?|administrators?|contractors?|externals?|interns?|group|team|department|roles?|employees|staff|consultants?|partners?|service accounts?|workload identit\w*|service principals?|kiosk|trainees|students|vendors?|joiners|leavers",
    ),
    ("place", r"_place|_ip|office|country|countries|location\w*|network|vpn|hq"),
    ("platform", r"_platform|phones?|laptops?|tablets?|devices?|unmanaged|compliant|managed device"),
    (
        "risk",
        r"(?:high|medium|low|elevated|no) (?:user |sign-in )?risk|risk (?:is|were|was|level|of)?\s?(?:high|medium|low)?|risky",
    ),
    (
        "since",
        r"since|after|in the last|past|compared (?:to|with)|last (?:week|month|year|quarter|days)|over (?:the )?(?:last|past|q\d)",
    ),
    // What the bot never does, and small talk.
    (
        "thanks",
        r"thanks?|thank you|thx|ty|cheers|merci|danke|appreciate\w*|great|perfect|nice|cool|awesome|wonderful|lovely|brilliant|_thanks|good job|well done|good to know|understood|got it|i see|you're the best|makes sense",
    ),
    ("greeting", r"hi|hello|hey|good (?:morning|evening|day|afternoon)|morning|hallo|greetings"),
    ("out", r"password|account (?:is )?(?:locked|disabled)|unlock"),
    (
        "otherit",
        r"intune (?:update|app)|update ring|headset|vacation|canteen|match|public holiday|file server|phishing mail|invoices?|desk|laptop order|vendor mail|e5|teams background|shared mailbox|mailbox|printer|calendar|licen[cs]es?|invoice|weather|lunch|coffee|wifi|firewall|vm|virtual machine|sharepoint site|distribution list|signature|backup|defender|sentinel|purview|password|salary|server|backlog ticket|excel|powerpoint|joke|song|poem|dns|certificate|stock|football|train|parking|holiday request|meeting room for|teams channel|intune (?:policy|profile|compliance|configuration)",
    ),
];

/// The concepts found in a message, as bits in the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Concepts(u128);

impl Concepts {
    /// Names of the concepts found, in the order of the table.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> + Clone + '_ {
        CONCEPTS.iter().enumerate().filter(|(bit, _)| self.0 >> bit & 1 == 1).map(|(_, (name, _))| *name)
    }

    /// Whether all of `others` are here.
    pub(crate) fn has_all(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Whether one of `others` is here.
    pub(crate) fn has_any(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// The set of one concept, by name; `None` for a name that the table lacks.
    pub(crate) fn named(name: &str) -> Option<Self> {
        CONCEPTS.iter().position(|(known, _)| *known == name).map(|bit| Self(1 << bit))
    }

    /// Both sets together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// So many patterns share an automaton: all in one would multiply its states, one each would read the text too often.
const TOGETHER: usize = 4;

/// The concepts of a message.
pub(crate) fn of(message: &Message<'_>) -> Concepts {
    static SETS: LazyLock<Vec<Patterns>> = LazyLock::new(|| CONCEPTS.chunks(TOGETHER).filter_map(compile).collect());
    let mut found = PatternSet::new(TOGETHER);
    let mut concepts = Concepts::default();
    for (chunk, set) in SETS.iter().enumerate() {
        found.clear();
        set.matches(message.plain(), &mut found);
        for pattern in found.iter() {
            concepts.0 |= 1 << (chunk * TOGETHER + pattern.as_usize());
        }
    }
    concepts
}

fn compile(concepts: &[(&str, &str)]) -> Option<Patterns> {
    let patterns: Vec<String> = concepts.iter().map(|(_, pattern)| format!(r"\b(?:{pattern})(?:\b|$)")).collect();
    Patterns::new(&patterns)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_fit_the_bits() {
        assert!(CONCEPTS.len() <= 128);
        let names: BTreeSet<_> = CONCEPTS.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), CONCEPTS.len());
        assert!(CONCEPTS.chunks(TOGETHER).all(|chunk| compile(chunk).is_some()));
    }

    #[test]
    fn patterns_compile_and_find_their_words() {
        let found: Vec<_> = of(&Message::read("Who is exempt from MFA?")).names().collect();
        assert_eq!(found, ["who", "mfa", "exclude"]);
    }
}
