// Package nats is everything Bakewatch does on NATS JetStream: the connection
// (to a server embedded in the process, or to an operator's own), the journal,
// facts, the lease of the one active daemon, events in, the notifications'
// consumers, and the Desk as request-reply.
//
// It never reads what an event or an entry means, never decides, and never
// trusts an acknowledgement that it has not seen: after an unanswered write it
// reads back from the stream's leader.
//
// Start reading at Connect (conn.go). A Conn hands out the parts:
//
//   - Journal (journal.go) appends by compare-and-set and reads lanes back;
//   - Facts (facts.go) keep one value for each kind and key;
//   - Lease (lease.go) lets one daemon act while others stand by;
//   - Intake (intake.go) takes events in, Deliveries (deliveries.go) hand
//     entries to channels; both settle messages with the shared flow (flow.go);
//   - ServeDesk and DeskClient (deskserver.go, deskclient.go) carry the Desk, and
//     deskproof.go finds out who speaks; package signing makes and checks signatures.
package nats
