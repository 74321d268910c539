package email_test

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

const (
	username = "bakewatch@example.com"
	password = "correct-horse-battery"
)

// server is a real mail server that keeps what it takes.
type server struct {
	addr, ca string
	// How it behaves. What is not set behaves well.
	login     string               // the way of logging in that it offers; default PLAIN
	refuse    map[string]error     // by recipient
	greylist  error                // of the sender
	take      func(net.Conn) error // what becomes of the mail once it was read
	loggedOut bool                 // nobody needs to log in

	mu    sync.Mutex
	mails []taken
}

// taken is one mail with its envelope.
type taken struct {
	from, user string
	to         []string
	encrypted  bool
	data       []byte
}

// certified are a server's certificate and the file of its authority.
func certified(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})
	if err := os.WriteFile(file, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return web.TLS.Certificates[0], file
}

// start serves on 127.0.0.1 until the test ends; encrypted: from the beginning.
func (s *server) start(t *testing.T, encrypted bool) *server {
	t.Helper()
	cert, ca := certified(t)
	s.ca = ca
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = listener.Addr().String()
	trust := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	real := smtp.NewServer(s)
	real.Domain, real.TLSConfig, real.ErrorLog = "mail.example.com", trust, quiet{}
	if s.loggedOut {
		real.TLSConfig = nil
	}
	if encrypted {
		listener = tls.NewListener(listener, trust)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = real.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = real.Close()
		_ = listener.Close() // it may not have begun to serve yet
		<-done
	})
	return s
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func (s *server) NewSession(c *smtp.Conn) (smtp.Session, error) {
	_, encrypted := c.TLSConnectionState()
	return &session{server: s, conn: c, mail: taken{encrypted: encrypted}}, nil
}

func (s *server) taken() []taken {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]taken(nil), s.mails...)
}

// session is one connection.
type session struct {
	server *server
	conn   *smtp.Conn
	mail   taken
}

func (s *session) AuthMechanisms() []string {
	if s.server.login == "" {
		return []string{sasl.Plain}
	}
	return []string{s.server.login}
}

func (s *session) Auth(mech string) (sasl.Server, error) {
	check := func(_, user, pass string) error {
		if user != username || pass != password {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "Authentication credentials invalid for " + base64.StdEncoding.EncodeToString([]byte("\x00"+user+"\x00"+pass))}
		}
		s.mail.user = user
		return nil
	}
	if mech == sasl.Login {
		return &loginServer{check: check}, nil
	}
	return sasl.NewPlainServer(func(identity, user, pass string) error { return check(identity, user, pass) }), nil
}

// loginServer is the server's side of LOGIN, which has no RFC: the name comes at once or
// when it is asked for.
type loginServer struct {
	user  string
	check func(identity, user, pass string) error
}

func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	switch {
	case l.user != "":
		return nil, true, l.check("", l.user, string(response))
	case len(response) > 0:
		l.user = string(response)
		return []byte("Password:"), false, nil
	}
	return []byte("Username:"), false, nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.mail.user == "" && !s.server.loggedOut {
		return smtp.ErrAuthRequired
	}
	s.mail.from = from
	return s.server.greylist
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if err := s.server.refuse[to]; err != nil {
		return err
	}
	s.mail.to = append(s.mail.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mail.data = data
	s.server.mu.Lock()
	s.server.mails = append(s.server.mails, s.mail)
	s.server.mu.Unlock()
	if s.server.take != nil {
		return s.server.take(s.conn.Conn())
	}
	return nil
}

func (s *session) Reset()        { s.mail.to = nil }
func (s *session) Logout() error { return nil }

// letter is a mail as a program shows it.
type letter struct {
	header      mail.Header
	subject     string
	text, html  string
	contentType string
}

// open reads a mail as mail programs do.
func open(t *testing.T, data []byte) letter {
	t.Helper()
	message, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("no mail: %v\n%s", err, data)
	}
	l := letter{header: message.Header}
	if l.subject, err = new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	var params map[string]string
	if l.contentType, params, err = mime.ParseMediaType(message.Header.Get("Content-Type")); err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(message.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return l
		}
		if err != nil {
			t.Fatal(err)
		}
		if part.Header.Get("Content-Transfer-Encoding") != "quoted-printable" {
			t.Fatalf("encoded as %s", part.Header.Get("Content-Transfer-Encoding"))
		}
		content, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		switch kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type")); kind {
		case "text/plain":
			l.text = strings.ReplaceAll(string(content), "\r\n", "\n")
		case "text/html":
			l.html = string(content)
		}
	}
}
