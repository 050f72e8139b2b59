// Package rest is the native HTTP door: queues, their moves, schedules, and buses with
// their rules, for every language that can send a request. The command line uses it too.
//
// It is not for what queues and schedules do (internal/event), and it holds no
// state. JSON in, JSON out; times are milliseconds in fields that end in _ms, and
// durations with a unit in parameters, as in wait=20s.
//
//	GET    /q?prefix=&max=&next=                 names, and where the next page begins
//	PUT    /q/{name}                             a queue with this Spec: 201 made, 200 was so already
//	GET    /q/{name}                             Queue: its Spec and its counts
//	PATCH  /q/{name}                             changes the fields that are given
//	DELETE /q/{name}
//	POST   /q/{name}/purge
//	POST   /q/{name}?group=&dedup=&delay=        the body is one message, Content-Type whatever it is
//	POST   /q/{name}                             application/x-ndjson: one Message a line, one Sent a line back
//	POST   /q/{name}/batch                       {"messages":[Message…]} -> {"sent":[Sent…]}
//	GET    /q/{name}/take?max=&wait=&visibility= {"messages":[Taken…]}; Accept: application/x-ndjson
//	POST   /q/{name}/take                        for one a line
//	POST   /q/{name}/ack                         {"receipts":[…]} -> {"results":[Result…]}
//	POST   /q/{name}/nack?delay=                 back at once, or after the delay
//	POST   /q/{name}/extend?for=                 the lease lasts from now for so long
//	POST   /q/{name}/reject                      to the dead letters, now
//	GET    /q/{name}/messages?where=&max=&next=  {"letters":[Letter…]}: what lies there; nothing is taken
//	POST   /q/{name}/messages/{letter}/revise?to= the body is what the message becomes: back, or elsewhere
//	GET    /q/{name}/explain                     Explained: what holds its messages, and until when
//	POST   /q/{name}/moves                       {"to":NAME,"rate":N,"where":[…]} -> Move: dead letters back, or elsewhere
//	GET    /q/{name}/moves                       the moves out of the queue
//	DELETE /moves/{handle}                       stop one
//	GET    /dlq?reasons=                         which queues have others' dead letters, and how many
//	GET    /schedule?group=&prefix=&max=&next=   schedules
//	PUT    /schedule/{group}/{name}              a schedule with this Spec, whole: 201 made, 200 changed
//	GET    /schedule/{group}/{name}
//	DELETE /schedule/{group}/{name}
//	POST   /schedule/{group}/{name}/pause        and /resume
//	GET    /schedule/{group}/{name}/next?count=  {"runs":[…]}: the next runs
//	POST   /schedule-preview?count=              the runs that this Spec would have; nothing is stored
//	GET    /schedule-group?prefix=&max=&next=    groups
//	PUT    /schedule-group/{name}                DELETE deletes it with its schedules
//	GET    /bus?prefix=&max=&next=               buses
//	PUT    /bus/{bus}                            a bus with this Spec: 201
//	GET    /bus/{bus}
//	PATCH  /bus/{bus}                            changes the fields that are given
//	DELETE /bus/{bus}?force=                     force: with its rules and archives
//	POST   /bus/{bus}/events                     one event or a list, in EventBridge's envelope or as CloudEvents
//	POST   /bus/{bus}/try?last=&samples=         the body is a pattern -> Trial: what it would have taken
//	GET    /bus/{bus}/review?last=               Review: which rules took the last events, and which fields none had
//	GET    /event/{id}?bus=&last=&since=         Trace: where an event went and what it caused
//	GET    /rule                                 the rules of all buses
//	GET    /bus/{bus}/rules?prefix=&max=&next=
//	PUT    /bus/{bus}/rules/{rule}               PutRule: with these targets; without any it keeps its own
//	GET    /bus/{bus}/rules/{rule}               Rule, and where its targets stand
//	PATCH  /bus/{bus}/rules/{rule}               changes the fields that are given; targets have paths of their own
//	DELETE /bus/{bus}/rules/{rule}?force=        force: with its targets
//	POST   /bus/{bus}/rules/{rule}/enable        and /disable, /pause, /resume
//	POST   /bus/{bus}/rules/{rule}/explain       the body is an event -> Why: why it fits or not
//	POST   /bus/{bus}/rules/{rule}/try?last=&samples=&replay= the body is a PutRule -> Trial, with what targets would be sent
//	POST   /pattern-explain                      {"pattern","event"} -> Why, without a rule
//	PUT    /bus/{bus}/rules/{rule}/targets/{id}  PATCH changes the fields that are given, DELETE removes it
//	GET    /archive?prefix=&max=&next=           archives
//	PUT    /archive/{name}                       GET, PATCH, DELETE
//	GET    /connection?prefix=&max=&next=        connections, without their secrets
//	PUT    /connection/{name}                    ConnectionOrder, whole: 201 made, 200 changed or so already; GET
//	DELETE /connection/{name}?force=             force: also where destinations have it
//	POST   /connection/{name}/compare            ConnectionOrder -> Differences: what PUT would change
//	POST   /connection/{name}/deauthorize        its secrets are removed
//	GET    /destination?prefix=&connection=&max=&next= API destinations
//	PUT    /destination/{name}                   DestinationOrder, whole; GET
//	DELETE /destination/{name}?force=            force: also where targets call it
//	GET    /replay?prefix=&max=&next=            replays
//	PUT    /replay/{name}                        starts one; GET tells how far it is, DELETE forgets it
//	POST   /replay/{name}/pause                  and /resume, /cancel
//	GET    /mapping?prefix=&max=&next=           which functions take from which queues and topics
//	PUT    /mapping/{name}                       a mapping with this Spec, whole: 201 made, 200 changed
//	GET    /mapping/{name}                       DELETE deletes it
//	POST   /mapping/{name}/pause                 and /resume
//
// A queue of another place than the default has ?region= and ?account=. One
// receipt may be given as ?receipt= without a body. Of several receipts or
// messages each has its own result: the status is 200 when all were done, 207 when
// some were, and that of the first error when none was.
//
// An error is {"error":{"code","message","hint"}} with a fitting status; codes are
// stable.
//
// Calls come from this machine, or from others where the node runs with
// --insecure: there are no users yet. No page of another site causes one.
//
// Files in reading order: rest.go (Handler, who may call), shapes.go (what JSON
// there is), queues.go, send.go, take.go, settle.go (ack, nack, extend, reject),
// moves.go, dead.go (places of dead letters), letters.go (what lies in a queue),
// schedules.go, buses.go, rules.go, trial.go, replays.go (and archives), connections.go,
// mappings.go, lookback.go (traces and reviews), answer.go (how answers and errors are
// written).
package rest
