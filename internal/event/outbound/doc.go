// Package outbound calls HTTP addresses that users gave: targets of schedules,
// later webhooks. A user must not reach through it what only this node can reach,
// so it guards where calls go.
//
// It is not for when a call is made again, nor for what is in it.
//
// Main types: Guard (which addresses may be called), Client, Request, Answer.
//
// Files in reading order: guard.go (rules, --allow-targets), ranges.go (addresses
// that are not the Internet's), client.go, answer.go.
//
// # The guard
//
//   - An address is checked when it is dialled, after names were resolved and
//     whatever the name was; so a name that is another address at the second look,
//     an address in octal, or IPv6 around an IPv4 address change nothing.
//   - Not called are loopback, private and link-local networks, shared address
//     space, documentation, multicast, tunnels around any of them, and the ports
//     that this node listens on; but what --allow-targets names may be.
//   - Only https, unless the host is allowed with http://.
//   - Redirects are not followed: they are answers. No proxy is taken from the
//     environment.
//   - A call has a time for all of it, answers are read up to 64 KiB of headers
//     and 64 KiB of body, and are not unpacked.
//
// `ottla dev`, and --insecure on loopback, allow loopback, and plain http to it.
//
// Concurrency: a Client may be used from any goroutine; a Guard never changes.
//
// Sources: OWASP on server-side request forgery; IANA's registries of special
// purpose addresses for IPv4 and IPv6 (RFC 6890).
package outbound
