// Package connection keeps connections, which know how a call is authorized, and API
// destinations, which say what is called with which of them.
//
// It is not for calling (event/delivery), nor for how secrets are closed (event/seal).
// Doors (gateway/aws/events) and targets (event/bus) call Service.
//
// Main types: Service, Connection, Auth, Destination.
//
// Files in reading order: spec.go (what they are), check.go, errors.go, service.go,
// connections.go, destinations.go, put.go (what doors call), used.go (what may go), endpoint.go (what a call gets),
// token.go (OAuth).
//
// # Rules
//
//   - Secrets lie sealed in the object of the connection, and are in no answer: a
//     Connection that is read has them empty.
//   - A connection with a key or a password is authorized at once; one of OAuth when
//     the first token came. Its token is fetched when a call needs one, kept until
//     shortly before it expires, and fetched anew when a call is answered 401. Tokens
//     are in memory only, of each node its own.
//   - The client's id and secret are sent as RFC 6749 has it for all servers: Basic,
//     with grant_type=client_credentials in a form. Parameters of the connection are
//     added to query, headers and form, and replace ours of that name.
//   - A destination whose connection was taken away or deauthorized is inactive: its
//     deliveries wait, as those of a target that does not answer.
//
// # Locks
//
// Service.mu guards what is mirrored, and tokens; each token has a lock of its own,
// held while it is fetched, under which Service.mu may be taken.
//
// Sources: EventBridge's API; RFC 6749, 4.4.
package connection
