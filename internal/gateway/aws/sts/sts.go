// Package sts is AWS's Security Token Service as far as tools ask for it before
// they begin: GetCallerIdentity tells who is calling. There are no users yet, so
// whoever calls is the account's root, whatever keys he signs with.
//
// It is not for giving out credentials: operations that do are refused by name.
// Source: AWS Security Token Service API reference, 2011-06-15.
package sts

import (
	"context"

	"ottla/internal/gateway/aws"
	"ottla/internal/gateway/aws/protocol"
)

const namespace = "https://sts.amazonaws.com/doc/2011-06-15/"

const noCredentials = "there are no users and roles yet whose credentials could be given out"

// Service is STS.
func Service() *aws.Service {
	return &aws.Service{
		Name: "sts", Versions: []string{"2011-06-15"}, XMLNamespace: namespace,
		Ops: []protocol.Op{
			protocol.Handle("GetCallerIdentity", "whoever calls is the account's root: there are no users yet", identity),
		},
		Refused: map[string]string{
			"AssumeRole": noCredentials, "AssumeRoleWithSAML": noCredentials, "AssumeRoleWithWebIdentity": noCredentials, "AssumeRoot": noCredentials,
			"GetFederationToken": noCredentials, "GetSessionToken": noCredentials, "GetWebIdentityToken": noCredentials, "GetDelegatedAccessToken": noCredentials,
			"GetAccessKeyInfo": noCredentials, "DecodeAuthorizationMessage": "nothing encodes such messages",
		},
	}
}

// callerIdentity is who calls.
type callerIdentity struct {
	UserID  string `json:"UserId"`
	Account string `json:"Account"`
	Arn     string `json:"Arn"`
}

func identity(_ context.Context, c *protocol.Call, _ *protocol.Nothing) (*callerIdentity, error) {
	return &callerIdentity{UserID: c.Account, Account: c.Account, Arn: "arn:aws:iam::" + c.Account + ":root"}, nil
}
