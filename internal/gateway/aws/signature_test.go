package aws

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestSignaturesAreRead(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=A/KI/D/20261126/eu-west-1/sqs/aws4_request, SignedHeaders=host;x-amz-date,Signature=abcd")
	s, err := ReadSignature(r)
	if err != nil || s.AccessKey != "A/KI/D" || s.Date != "20261126" || s.Region != "eu-west-1" || s.Service != "sqs" ||
		len(s.SignedHeaders) != 2 || s.Value != "abcd" || s.Presigned {
		t.Errorf("header: got %+v, %v", s, err)
	}
	r = httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("Authorization", "AWS4-ECDSA-P256-SHA256 Credential=AKID/20261126/events/aws4_request, SignedHeaders=host, Signature=abcd")
	if s, err = ReadSignature(r); err != nil || s.AccessKey != "AKID" || s.Region != "" || s.Service != "events" {
		t.Errorf("version 4a: got %+v, %v", s, err)
	}
	q := url.Values{"X-Amz-Algorithm": {"AWS4-HMAC-SHA256"}, "X-Amz-Credential": {"AKID/20261126/us-east-1/sqs/aws4_request"}, "X-Amz-SignedHeaders": {"host"}, "X-Amz-Signature": {"ab"}}
	if s, err = ReadSignature(httptest.NewRequest(http.MethodGet, "/?"+q.Encode(), nil)); err != nil || s.Service != "sqs" || !s.Presigned {
		t.Errorf("presigned: got %+v, %v", s, err)
	}
	for _, none := range []string{"", "Basic abc", "Bearer abc", "AWS4"} {
		r = httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", none)
		if s, err := ReadSignature(r); s != nil || err != nil {
			t.Errorf("%q: got %+v, %v, want none", none, s, err)
		}
	}
}

func TestSignaturesThatLackAPartAreRefused(t *testing.T) {
	const scope, headers, value = "Credential=AKID/20261126/us-east-1/sqs/aws4_request", "SignedHeaders=host", "Signature=ab"
	for _, parts := range []string{
		"", headers + "," + value, scope + "," + value, scope + "," + headers, "Credential=AKID,Signature=ab," + headers,
		"Credential=/20261126/us-east-1/sqs/aws4_request," + headers + "," + value, "Credential=AKID/20261126/us-east-1/sqs/aws3," + headers + "," + value,
		strings.Repeat("x", maxSignature),
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 "+parts)
		if s, err := ReadSignature(r); err == nil || err.Shape != "IncompleteSignature" {
			t.Errorf("%.60q: got %+v, %v", parts, s, err)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/?X-Amz-Credential=AKID/20261126/us-east-1/sqs/aws4_request&X-Amz-Algorithm=AWS2", nil)
	if _, err := ReadSignature(r); err == nil {
		t.Error("a presigned request of another algorithm is taken")
	}
}

func FuzzSignaturesNeverPanic(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=AKID/20261126/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=ab", "X-Amz-Credential=x")
	f.Add("AWS4-HMAC-SHA256 Credential=aws4_request", "")
	f.Add("", "X-Amz-Credential=%2F%2F%2F%2Faws4_request&X-Amz-Algorithm=AWS4-HMAC-SHA256")
	f.Fuzz(func(t *testing.T, header, query string) {
		r := &http.Request{Method: http.MethodGet, Header: http.Header{"Authorization": {header}}, URL: &url.URL{Path: "/", RawQuery: query}}
		s, err := ReadSignature(r)
		if s != nil && err == nil && (s.AccessKey == "" || s.Value == "") {
			t.Errorf("%q %q: a signature without a part is taken: %+v", header, query, s)
		}
	})
}
