// Package course decides what becomes of the deliveries of one target: which are
// called now, which are tried again and when, which are given up, and when to look
// again. It is pure: the same lane, limits and times give the same decisions.
//
// It is not for how a call is made, nor for where payloads and states are kept (package
// delivery).
//
// Main types: Lane (what is not finished), Limits (what the endpoint says), Result
// (what came of a call), Letter, State (what is kept of a lane).
//
// Files in reading order: lane.go, ease.go, step.go (what begins), batch.go (calls of many),
// ended.go (what came of it), look.go (when to come back, what to read), breaker.go,
// waits.go, state.go, packed.go.
//
// # Rules
//
//   - Deliveries are known by their offsets. A lane holds at most MostItems; from
//     Lane.Behind on it holds none, and they are read again when there is room.
//   - A delivery whose payload is not in memory (Item.Loaded) waits until it is read.
//   - Of an ordered endpoint one delivery of a key is under way, the oldest; while it
//     waits to be tried again only its key waits.
//   - Attempts count when they have ended. One that was cut off is made again.
//   - A delivery is given up after Retry.Most attempts behind the first, when the next
//     one would be later than Retry.MaxAgeMs after it was put down, or at once where
//     trying again is no use. Age also ends what was never tried.
//   - The breaker opens when 10 of the last 20 calls have failed, or 5 in a row had no
//     answer in time. Then nothing is called, and no attempt is used, until one call
//     probes the endpoint. What an endpoint refuses for good shows that it is there, and
//     is no failure here.
//   - Retry-After holds the whole lane.
//   - A call of many that failed is made again with the same, or halved where Bisect
//     says so; halving uses no attempt.
package course
