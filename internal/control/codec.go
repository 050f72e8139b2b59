package control

import (
	"encoding/json"
	"fmt"
	"reflect"

	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// encodeCommand makes the request that carries a command.
func encodeCommand(k *kind, cmd any, timeoutMs int32) (*own.CommandRequest, error) {
	body, err := json.Marshal(cmd)
	if err != nil {
		return nil, fmt.Errorf("encode the command %s: %w", k.name, err)
	}
	return &own.CommandRequest{TimeoutMs: timeoutMs, Kind: k.name, Body: body}, nil
}

// decodeCommand reads it back; a node of a later release may send what is not
// known here.
func decodeCommand(req *own.CommandRequest) (*kind, any, error) {
	k := byName[req.Kind]
	if k == nil {
		return nil, nil, wire.Errorf(wire.UnsupportedVersion, "the controller's node does not know the command %q: all nodes of a cluster must be of one release", req.Kind)
	}
	cmd, err := k.decode(req.Body)
	if err != nil {
		return nil, nil, wire.Errorf(wire.InvalidRequest, "command %s: %w", req.Kind, err)
	}
	return k, cmd, nil
}

// encodeReply fills an answer with the controller's reply or refusal.
func encodeReply(resp *own.CommandResponse, k *kind, reply any, refusal error) {
	if refusal == nil && reflect.TypeOf(reply) != k.reply {
		refusal = wire.Errorf(wire.UnknownServerError, "the controller answered %s with %T, want %v", k.name, reply, k.reply)
	}
	if refusal == nil && reply != nil {
		resp.Body, refusal = json.Marshal(reply)
	}
	if refusal != nil {
		resp.ErrorCode, resp.ErrorMessage = int16(wire.CodeOf(refusal)), wire.MessageOf(refusal)
	}
}

// decodeReply reads the reply, or the refusal, of an answer.
func decodeReply(resp *own.CommandResponse, k *kind) (reply any, refusal error) {
	if resp.ErrorCode != 0 {
		return nil, refused(resp)
	}
	reply, err := k.decodeReply(resp.Body)
	if err != nil {
		return nil, wire.Errorf(wire.UnknownServerError, "the answer to %s: %w", k.name, err)
	}
	return reply, nil
}

// refused is an answer's error; without a text it is the bare code, as it was.
func refused(resp *own.CommandResponse) error {
	code := wire.Code(resp.ErrorCode)
	if resp.ErrorMessage == "" || resp.ErrorMessage == code.Text() {
		return code
	}
	return &wire.Error{Code: code, Message: resp.ErrorMessage}
}
