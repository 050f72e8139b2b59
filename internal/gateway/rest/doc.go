// Package rest is the native HTTP door: queues, their moves, and schedules, for
// every language that can send a request. The command line uses it too.
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
// moves.go, dead.go (places of dead letters), letters.go (what lies in a queue), schedules.go, answer.go (how answers and errors are written).
package rest
