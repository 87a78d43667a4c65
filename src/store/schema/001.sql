-- The first schema. Times are milliseconds since 1970; small enumerations are the numbers of `model`.
-- No foreign keys on hot tables: the writer is the only one that writes them, and `doctor` looks.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE node (
    id INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    started INTEGER NOT NULL,
    beat INTEGER NOT NULL,
    fresh_low INTEGER NOT NULL,
    permits INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Cold and append-only. `detail` is what a refusal can be explained with. The body is last, so that columns of lists never touch overflow pages.
CREATE TABLE request (
    id INTEGER PRIMARY KEY,
    flow INTEGER NOT NULL,
    version INTEGER NOT NULL,
    verdict INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    runs INTEGER NOT NULL,
    status INTEGER,
    cause TEXT,
    detail TEXT,
    duplicate_of INTEGER,
    dedup BLOB,
    peer TEXT,
    actor TEXT,
    hops INTEGER NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    query TEXT NOT NULL,
    headers BLOB NOT NULL,
    body BLOB NOT NULL
) STRICT;
-- What senders were told that does not follow from the row of their request: the answer of `wait` and
-- `poll`, written after it left, and a refusal's. `answer` is null where a `respond` step gave it: the journal has it.
CREATE TABLE told (
    request INTEGER PRIMARY KEY,
    status INTEGER NOT NULL,
    answer TEXT
) STRICT;
CREATE INDEX told_status ON told (status, request) WHERE status >= 400;
CREATE INDEX request_odd ON request (verdict, id) WHERE verdict <> 0;
CREATE INDEX request_dup ON request (duplicate_of, id) WHERE duplicate_of IS NOT NULL;
CREATE INDEX request_flow ON request (flow, verdict, id);
CREATE INDEX request_status ON request (status, id) WHERE status >= 400;
-- Which values occur among the requests and runs with ids from `low` to `high`: a set of hashes that says
-- surely not, or maybe; empty is maybe everything. Made behind the commit. What is in no block is read.
CREATE TABLE sketch (
    low INTEGER PRIMARY KEY,
    high INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    bits BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX sketch_span ON sketch (low, high, rows);

-- Hot and dense, updated in place.
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    request INTEGER,
    parent INTEGER,
    flow INTEGER NOT NULL,
    version INTEGER NOT NULL,
    state INTEGER NOT NULL,
    step INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    round INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    owner INTEGER NOT NULL,
    due INTEGER,
    started INTEGER,
    ended INTEGER,
    cause INTEGER,
    test INTEGER NOT NULL,
    element INTEGER
) STRICT;
-- What can be claimed, and what else acts at a time: apart, so that a look at the one never wades through
-- the other, however many are due in the same millisecond.
CREATE INDEX run_due ON run (flow, due) WHERE due IS NOT NULL AND state IN (0, 4);
CREATE INDEX run_later ON run (flow, due) WHERE due IS NOT NULL AND state NOT IN (0, 4);
CREATE INDEX run_odd ON run (state, id) WHERE state >= 3;
CREATE INDEX run_group ON run (cause, id) WHERE state = 5;
CREATE INDEX run_request ON run (request) WHERE id <> request;
CREATE INDEX run_flow ON run (flow, id);

-- One row a transition, append-only.
CREATE TABLE journal (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    step INTEGER NOT NULL,
    item INTEGER,
    attempt INTEGER NOT NULL,
    status INTEGER,
    actor TEXT,
    detail TEXT NOT NULL,
    sent BLOB,
    got BLOB,
    -- What a sender that waits was answered, where this entry gave it.
    answer BLOB
) STRICT;
CREATE UNIQUE INDEX journal_run ON journal (run, seq);

CREATE TABLE frame (
    run INTEGER PRIMARY KEY,
    data BLOB NOT NULL
) STRICT;

CREATE TABLE callback (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    step INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    hash BLOB NOT NULL,
    state INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    created INTEGER NOT NULL,
    received INTEGER,
    status INTEGER,
    digest BLOB
) STRICT;
CREATE INDEX callback_open ON callback (deadline) WHERE state = 0;
CREATE INDEX callback_expired ON callback (run) WHERE state = 2;
CREATE INDEX callback_run ON callback (run);

-- One row a commit: what it did to the dedup table, and how much of what it stored.
CREATE TABLE ledger (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    lo INTEGER NOT NULL,
    hi INTEGER NOT NULL,
    dedup BLOB,
    counts BLOB
) STRICT;

-- Requests since the store was made, by flow and verdict (4: refused and only counted), up to
-- `meta.totals`; what came later is summed from `ledger.counts`.
CREATE TABLE total (
    flow INTEGER NOT NULL,
    verdict INTEGER NOT NULL,
    n INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (flow, verdict)
) STRICT, WITHOUT ROWID;

-- Refusals by cause and hour; `seen - kept` of them have no row in `request`.
CREATE TABLE refusal (
    flow INTEGER NOT NULL,
    cause TEXT NOT NULL,
    bucket INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    kept INTEGER NOT NULL,
    PRIMARY KEY (flow, cause, bucket)
) STRICT, WITHOUT ROWID;

-- An error group. `count` runs are errored for it now, `seen` were in all.
CREATE TABLE cause (
    id INTEGER PRIMARY KEY,
    flow INTEGER NOT NULL,
    step TEXT NOT NULL,
    text TEXT NOT NULL,
    normal TEXT NOT NULL,
    count INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    -- How often a run became errored for it; never falls.
    stops INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL
) STRICT;
CREATE INDEX cause_open ON cause (flow) WHERE count > 0;

-- What the live versions want told, by kind (of `model::alert`) and receiver: `url:` with the URL as
-- it is written, or `flow:` with the number of the flow. What came before `since` is not told.
CREATE TABLE alert_rule (
    integration INTEGER NOT NULL,
    place TEXT NOT NULL,
    kind INTEGER NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (integration, place, kind)
) STRICT, WITHOUT ROWID;

-- A cause that was told: `open` until its recovery is told, and then remembered for its quiet period.
-- `subject` names it within its kind; `ever` is how many had come into it when it was told last.
CREATE TABLE alert (
    integration INTEGER NOT NULL,
    place TEXT NOT NULL,
    kind INTEGER NOT NULL,
    subject TEXT NOT NULL,
    open INTEGER NOT NULL,
    told INTEGER NOT NULL,
    ever INTEGER NOT NULL,
    since INTEGER NOT NULL,
    flow INTEGER,
    step TEXT,
    cause TEXT NOT NULL,
    PRIMARY KEY (integration, place, kind, subject)
) STRICT, WITHOUT ROWID;

-- What waits for a URL: those of one receiver leave one after the other.
CREATE TABLE alert_post (
    id INTEGER PRIMARY KEY,
    integration INTEGER NOT NULL,
    place TEXT NOT NULL,
    body TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next INTEGER NOT NULL
) STRICT;
CREATE INDEX alert_post_place ON alert_post (integration, place, id);

-- How it stands with a receiver. `error` is why the last post did not arrive.
CREATE TABLE alert_place (
    integration INTEGER NOT NULL,
    place TEXT NOT NULL,
    told INTEGER,
    delivered INTEGER,
    given_up INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    PRIMARY KEY (integration, place)
) STRICT, WITHOUT ROWID;

-- Targets that refuse, or did, by the integration that was refused and the target's tag; `target` is
-- what people see of it. `ever` counts the times.
CREATE TABLE breaker (
    integration INTEGER NOT NULL,
    tag INTEGER NOT NULL,
    target TEXT NOT NULL,
    open INTEGER NOT NULL,
    ever INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    since INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (integration, tag)
) STRICT, WITHOUT ROWID;

-- Requests that were let in, by flow and quarter of an hour since 1970; kept for eight days.
CREATE TABLE arrival (
    flow INTEGER NOT NULL,
    quarter INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (flow, quarter)
) STRICT, WITHOUT ROWID;

-- Figures over time, a bucket a row, as JSON: of minutes (grain 0, kept for two days) and of quarters of
-- an hour (grain 1, kept for nine days), both numbered since 1970. Where there is none the process was
-- down. As of `meta.totals`; verdicts that came later are counted from `ledger.counts`.
CREATE TABLE series (
    grain INTEGER NOT NULL,
    at INTEGER NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (grain, at)
) STRICT;

-- Rows are never deleted; a removed name can be given again, to a new row.
CREATE TABLE integration (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    title TEXT NOT NULL,
    deployed INTEGER,
    paused INTEGER,
    paused_until INTEGER,
    hold INTEGER,
    created INTEGER NOT NULL,
    removed INTEGER
) STRICT;
CREATE UNIQUE INDEX integration_name ON integration (name) WHERE removed IS NULL;

-- Immutable. `flows`: the number, name and alias of each flow, in the order of the document.
CREATE TABLE version (
    integration INTEGER NOT NULL,
    number INTEGER NOT NULL,
    source TEXT NOT NULL,
    hash TEXT NOT NULL,
    author TEXT NOT NULL,
    at INTEGER NOT NULL,
    reason TEXT,
    flows TEXT NOT NULL,
    PRIMARY KEY (integration, number)
) STRICT;

-- Rows are never deleted, so that an endpoint is never given out twice. `slug` is the document's `id`.
CREATE TABLE flow (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    integration INTEGER NOT NULL,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    endpoint TEXT NOT NULL UNIQUE,
    path TEXT,
    created INTEGER NOT NULL,
    removed INTEGER,
    paused INTEGER,
    paused_until INTEGER,
    hold INTEGER,
    UNIQUE (integration, slug)
) STRICT;
CREATE UNIQUE INDEX flow_path ON flow (path) WHERE removed IS NULL AND path IS NOT NULL;

-- When a flow with a schedule starts next; `rule` is what the document says, in a line. `made_up`
-- counts the ticks that were missed and folded into a later one.
CREATE TABLE schedule (
    flow INTEGER PRIMARY KEY,
    rule TEXT NOT NULL,
    next INTEGER NOT NULL,
    last INTEGER,
    made_up INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The newest run that no sender and no person began, by what began it (the mark of its request).
CREATE TABLE begun (
    flow INTEGER NOT NULL,
    mark INTEGER NOT NULL,
    run INTEGER NOT NULL,
    PRIMARY KEY (flow, mark)
) STRICT, WITHOUT ROWID;

CREATE TABLE value (
    integration INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT,
    cipher BLOB,
    at INTEGER NOT NULL,
    author TEXT NOT NULL,
    PRIMARY KEY (integration, name)
) STRICT, WITHOUT ROWID;

-- Senders' keys. `cipher` is sealed, `hash` is salt and hash; both are wiped when the key is removed.
CREATE TABLE credential (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    user TEXT,
    cipher BLOB,
    hash BLOB,
    public BLOB,
    added INTEGER NOT NULL,
    removed INTEGER,
    used INTEGER
) STRICT;
CREATE UNIQUE INDEX credential_name ON credential (name) WHERE removed IS NULL;

-- People who reach a running server with a token, of which only a hash is kept.
CREATE TABLE operator (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    role INTEGER NOT NULL,
    hash BLOB,
    added INTEGER NOT NULL,
    removed INTEGER,
    seen INTEGER
) STRICT;
CREATE UNIQUE INDEX operator_name ON operator (name) WHERE removed IS NULL;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    door TEXT NOT NULL,
    verb TEXT NOT NULL,
    kind TEXT,
    target TEXT NOT NULL,
    reason TEXT,
    detail TEXT NOT NULL
) STRICT;

-- Verbs on many, done piece by piece. `verb` is the verb with its options as JSON; who, why and how
-- fast stay as they were when it began. A row is written last: pieces without one were never a job.
CREATE TABLE job (
    id INTEGER PRIMARY KEY,
    who TEXT NOT NULL,
    door TEXT NOT NULL,
    verb TEXT NOT NULL,
    filter TEXT,
    reason TEXT,
    rate TEXT,
    -- It halts after so many failures in a row, counted from this place on.
    stop_after INTEGER,
    counted_from INTEGER NOT NULL,
    state INTEGER NOT NULL,
    total INTEGER NOT NULL,
    done INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    ended INTEGER,
    stopped_by TEXT
) STRICT;
CREATE INDEX job_open ON job (id) WHERE state = 0;
CREATE INDEX job_halted ON job (id) WHERE state = 3;

-- Its objects, fixed when it began. `seq` is the run's as the person was shown it; `run` is the
-- first one that a replay made.
CREATE TABLE piece (
    job INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    object INTEGER NOT NULL,
    seq INTEGER,
    state INTEGER NOT NULL,
    said TEXT,
    run INTEGER,
    PRIMARY KEY (job, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX piece_left ON piece (job, at) WHERE state = 0;
CREATE INDEX piece_past ON piece (job, at) WHERE state >= 2;
CREATE INDEX piece_sending ON piece (job, at) WHERE state = 1;
CREATE INDEX piece_refused ON piece (job, said) WHERE state = 3;
CREATE INDEX piece_object ON piece (object);

-- The runs that its replays made.
CREATE TABLE made (
    job INTEGER NOT NULL,
    run INTEGER NOT NULL,
    PRIMARY KEY (job, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX made_run ON made (run);

-- The shape of bodies, by flow: each path (indices folded to `[]`), its types in the order in which
-- they came, and the run of requests (counted by flow) that had it without a gap. The empty path
-- counts the requests of the flow that were looked at. `meta.shape_upto` says how far.
CREATE TABLE shape (
    flow INTEGER NOT NULL,
    path TEXT NOT NULL,
    type TEXT NOT NULL,
    seen INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    example TEXT NOT NULL,
    since INTEGER NOT NULL,
    upto INTEGER NOT NULL,
    PRIMARY KEY (flow, path)
) STRICT, WITHOUT ROWID;

-- What drifted; a badge as long as nobody took it away.
CREATE TABLE drift (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    flow INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    path TEXT NOT NULL,
    was TEXT NOT NULL,
    now TEXT NOT NULL,
    request INTEGER NOT NULL,
    at INTEGER NOT NULL,
    cleared INTEGER,
    UNIQUE (flow, kind, path, now)
) STRICT;
CREATE INDEX drift_open ON drift (flow) WHERE cleared IS NULL;

-- What is remembered of a step's answer for trials of its flow: the last call by hand, and values
-- that people gave. Test values, kept as they are.
CREATE TABLE tried (
    flow INTEGER NOT NULL,
    step TEXT NOT NULL,
    at INTEGER NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (flow, step)
) STRICT, WITHOUT ROWID;

-- What people typed into a document and did not save, and what undoes it: one text a person and
-- integration. `seen` counts how often it was kept; what is saved stays for its history.
CREATE TABLE edit (
    who TEXT NOT NULL,
    integration INTEGER NOT NULL,
    base INTEGER NOT NULL,
    unsaved INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    at INTEGER NOT NULL,
    history TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (who, integration)
) STRICT, WITHOUT ROWID;
