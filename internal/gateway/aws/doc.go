// Package aws is the AWS door of the HTTP port: it finds out which AWS service
// a request is meant for and in which protocol, and lets that service answer.
// The services are packages below: sqs, events, scheduler, sns, sts; how their
// protocols are read and written is package protocol, what their models forbid
// package constraint.
//
// One port serves all services, since SDKs can be told one endpoint for all
// (AWS_ENDPOINT_URL). A request is told by, in this order: its X-Amz-Target,
// the service in the scope of its signature, its path, and for unsigned calls of
// the query protocol its Version or Action. A request that none of these claims
// is not AWS's and goes on to the other doors.
//
// Signatures are read, for the region and the caller that they name, and not
// verified: there are no users yet. So calls are taken from this machine, and
// from others where the node was told that the network is trusted (--insecure);
// everybody else is refused.
//
// It is not for what a call means, and it holds no state. Calls that act may
// come as GET, so no page of another site may cause one: package front refuses
// what a browser says comes from elsewhere.
//
// Reading order: door.go (Door, ServeHTTP), service.go (what a service is, and
// those that are refused by name), route.go (which service), signature.go.
// Sources: AWS Signature Version 4; the Smithy protocol specifications.
package aws
