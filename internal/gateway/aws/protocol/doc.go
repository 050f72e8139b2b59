// Package protocol is how AWS's clients put calls and answers into HTTP, for
// the services behind the AWS door: AWS JSON 1.0 and 1.1, the old query
// protocol with XML answers, and REST with JSON bodies. A service writes each
// operation once, as a function from one Go struct to another; what is on the
// wire follows from the structs' tags.
//
// It is not for routing requests to services (package aws) nor for what an
// operation means (the services).
//
// A field's name on the wire is its json tag in all protocols. A query tag says
// what the query protocol calls it where that differs: lists are flattened under
// their member's name (`query:"AttributeName"` reads AttributeName.1, …), maps
// name their keys and values (`query:"Attribute,Name,Value"`), and names that
// SDKs have used beside each other are separated by bars. Lists and maps that are
// not flattened name the step between (`query:"Tags.member"`,
// `query:"Attributes.entry,key,value"`). The same tags give the XML of answers.
//
// Nothing from the network panics: parameters, depth and size are bounded, and
// what cannot be read is an Error that names it. Nothing here has a lock or a
// goroutine; a Call belongs to its request.
//
// Reading order: error.go, call.go (Call, Op, Handle), json.go, scan.go and
// append.go (JSON without reflection, for calls that are made all the time), moment.go, query.go
// (parameters to structs), xml.go (structs to XML), rest.go, body.go.
// Sources: the Smithy specifications of awsJson1_0, awsQuery, restJson1 and
// awsQueryCompatible.
package protocol
