// Package front is the face of the HTTP port: one listener for all HTTP doors,
// with the checks that no door may forget. A web page that somebody has open
// must not be able to speak to Ottla behind his back, so the Host of every
// request has to be an address or a name that this node is known by (which
// stops DNS rebinding), an Origin has to be this port itself, and what a browser
// says comes from another site (Sec-Fetch-Site) is let in only as a link that
// somebody followed. Doors whose GETs act ask FromPage and take not even that;
// doors for callers whom nobody knows yet ask FromHere.
//
// A request that waits for something to come may be parked (Park): then its
// connection has neither a goroutine nor buffers until it is answered.
//
// Files in reading order: front.go (the port, and who is let in), park.go (polls
// that wait), answer.go, listener.go, lazy.go (a connection and its deadlines),
// gone_*.go.
//
// Locks: lanes.mu guards the polls that wait, listener.mu the connections that
// came back and have asked nothing yet; neither is held for a call or a
// write. lazy.mu guards the deadlines of one connection.
//
// It is not for routes: doors bring handlers. Source: OWASP on DNS rebinding
// and cross-site request forgery; Fetch standard, Origin; Fetch Metadata.
package front
