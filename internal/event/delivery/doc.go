// Package delivery calls HTTP addresses and functions with what the passes of buses
// and SNS topics put down for them: at least once, under an id that stays, and with
// all that keeps one target's trouble from others.
//
// It is not for which events go where (event/run), nor for when a call is made again
// (delivery/course, which decides), nor for how an address is called (event/outbound).
//
// Files in reading order: parcel.go (what lies in Topic).
package delivery

// Topic has what is to be delivered: a record for each event and target, in the
// partition that the target's key hashes to.
const Topic = "__ottla_deliveries"
