// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"
#include "net/tls_keeper.hpp"
#include "tests/integration/outgoing/certificates.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <thread>

namespace eventweft::net {
namespace {

using outgoing::testing_support::pem_pair;
using outgoing::testing_support::temporary_file;
using outgoing::testing_support::test_ca;
using testing::HasSubstr;

struct client_settings {
  int max_version = 0;
  std::string alpn = "\x08http/1.1";
  int receive_buffer = 0;
  const pem_pair* certificate = nullptr;
};

/// A blocking TLS client that trusts one authority and reads bytes.
class tls_client {
 public:
  tls_client(uint16_t port, const std::string& ca_file,
             const client_settings& s = {})
      : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
    SSL_CTX_load_verify_locations(context_.get(), ca_file.c_str(), nullptr);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    if (s.max_version != 0)
      SSL_CTX_set_max_proto_version(context_.get(), s.max_version);
    if (s.certificate != nullptr) {
      const temporary_file certificate{s.certificate->certificate};
      const temporary_file key{s.certificate->key};
      SSL_CTX_use_certificate_chain_file(context_.get(),
                                         certificate.path().c_str());
      SSL_CTX_use_PrivateKey_file(context_.get(), key.path().c_str(),
                                  SSL_FILETYPE_PEM);
    }
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s.receive_buffer != 0)
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &s.receive_buffer, sizeof(int));
    const timeval limit{10, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), fd_);
    SSL_set1_host(ssl_.get(), "hub.example");
    // What the macro does, without its cast.
    std::string name = "hub.example";
    SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME,
             TLSEXT_NAMETYPE_host_name, name.data());
    SSL_set_alpn_protos(ssl_.get(),
                        reinterpret_cast<const unsigned char*>(s.alpn.data()),
                        static_cast<unsigned>(s.alpn.size()));
    connected = SSL_connect(ssl_.get()) == 1;
    ERR_clear_error();
  }
  ~tls_client() {
    ssl_.reset();
    ::close(fd_);
  }
  tls_client(const tls_client&) = delete;
  tls_client& operator=(const tls_client&) = delete;

  void send(std::string_view bytes) {
    size_t done = 0;
    if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &done) != 1)
      throw std::runtime_error{"TLS: cannot send"};
  }

  std::string read_until(std::string_view mark) {
    for (;;) {
      if (const auto at = data_.find(mark); at != std::string::npos)
        return take(at + mark.size());
      if (!read_some())
        throw std::runtime_error{"the connection ended after: " + data_};
    }
  }

  std::string read_exactly(size_t n) {
    while (data_.size() < n)
      if (!read_some())
        throw std::runtime_error{"the connection ended"};
    return take(n);
  }

  http_answer read_answer() {
    http_answer a;
    a.head = read_until("\r\n\r\n");
    a.status = std::stoi(a.head.substr(9, 3));
    a.body = read_exactly(std::stoul("0" + a.header("content-length")));
    return a;
  }

  /// One unfragmented frame of a server, of whatever kind.
  std::string read_frame() {
    const auto head = read_exactly(2);
    size_t size = static_cast<unsigned char>(head[1]);
    const int more = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (more != 0) {
      size = 0;
      for (const char c : read_exactly(static_cast<size_t>(more)))
        size = size << 8 | static_cast<unsigned char>(c);
    }
    return read_exactly(size);
  }

  bool at_end() { return data_.empty() && !read_some(); }

  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }
  int version() const { return SSL_version(ssl_.get()); }
  long serial() const {
    auto* peer = SSL_get0_peer_certificate(ssl_.get());
    return ASN1_INTEGER_get(X509_get0_serialNumber(peer));
  }

  bool connected = false;

 private:
  bool read_some() {
    char piece[16384];
    size_t got = 0;
    const bool good = SSL_read_ex(ssl_.get(), piece, sizeof piece, &got) == 1;
    ERR_clear_error();
    data_.append(piece, got);
    return good;
  }
  std::string take(size_t n) {
    auto out = data_.substr(0, n);
    data_.erase(0, n);
    return out;
  }

  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_{nullptr, SSL_free};
  int fd_ = -1;
  std::string data_;
};

class tls_server : public server_test {
 protected:
  tls_server() {
    write(ca_.issue("DNS:hub.example"));
    files_.certificate = certificate_.path();
    files_.key = key_.path();
  }

  void write(const pem_pair& pair) const {
    std::ofstream{certificate_.path()} << pair.certificate;
    std::ofstream{key_.path()} << pair.key;
  }

  void start_tls() {
    auto keeper = tls_keeper::open(files_);
    ASSERT_TRUE(keeper) << keeper.error().message;
    tls_ = keeper_ = *keeper;
    start();
  }

  tls_client connect_tls(const client_settings& s = {}) {
    return tls_client{port_, authority_.path(), s};
  }

  test_ca ca_;
  temporary_file authority_{ca_.certificate()};
  temporary_file certificate_{""};
  temporary_file key_{""};
  config::tls_settings files_;
  std::shared_ptr<tls_keeper> keeper_;
};

TEST_F(tls_server, ServesRequestsOnOneConnection) {
  start_tls();
  auto c = connect_tls();
  ASSERT_TRUE(c.connected);
  EXPECT_EQ(c.protocol(), "http/1.1");
  EXPECT_GE(c.version(), TLS1_2_VERSION);
  for (int i = 0; i < 3; ++i) {
    c.send(get("/healthz"));
    EXPECT_EQ(c.read_answer().status, 200);
  }
  const std::string body(3u << 20, 'x');
  c.send(post("/github/events", body));
  EXPECT_EQ(c.read_answer().body, std::to_string(body.size()));
  // Two at once: the second one is in OpenSSL's hands when the first is done.
  c.send(get("/healthz") + get("/healthz"));
  EXPECT_EQ(c.read_answer().status, 200);
  EXPECT_EQ(c.read_answer().status, 200);
  c.send(get("/healthz", "Connection: close\r\n"));
  EXPECT_EQ(c.read_answer().status, 200);
  EXPECT_TRUE(c.at_end());
  EXPECT_THAT(
      metrics_.text(),
      HasSubstr(R"(eventweft_tls_handshakes_total{outcome="worked"} 1)"));
}

TEST_F(tls_server, SpeaksNothingOlderThanTls12) {
  start_tls();
  EXPECT_TRUE(connect_tls({.max_version = TLS1_2_VERSION}).connected);
  EXPECT_FALSE(connect_tls({.max_version = TLS1_1_VERSION}).connected);
  EXPECT_FALSE(connect_tls({.alpn = "\x02h2"}).connected);
  EXPECT_TRUE(connect_tls({.alpn = ""}).connected);
}

TEST_F(tls_server, TellsWhoForgetsTheTls) {
  start_tls();
  auto c = connect();
  c.send(get("/healthz"));
  const auto a = c.read_answer();
  EXPECT_EQ(a.status, 400);
  EXPECT_THAT(a.body, HasSubstr("https://"));
}

TEST_F(tls_server, GivesUpOnAHandshakeThatTakesTooLong) {
  server_.header_timeout = std::chrono::milliseconds{200};
  start_tls();
  auto c = connect();
  c.send("\x16\x03\x01");
  EXPECT_TRUE(c.at_end());
}

TEST_F(tls_server, StreamsEventsInOrder) {
  start_tls();
  auto c = connect_tls();
  c.send(get("/events/stream/all_events"));
  EXPECT_EQ(c.read_until("\r\n\r\n").substr(9, 3), "200");
  EXPECT_TRUE(backend_.wait([&] { return backend_.joins() == 1; }));
  for (int batch = 0; batch < 20; ++batch)
    backend_.commit(50, "push", 2'000);
  for (seq_t seq = 1; seq <= 1'000; ++seq) {
    c.read_until("id: " + std::to_string(seq) + "\n");
    EXPECT_EQ(seq_of(c.read_until("\n\n")), seq);
  }
}

TEST_F(tls_server, AReaderThatStopsForAWhileGetsEverythingInOrder) {
  streaming_.reader_buffer_bytes = 64u << 10;
  start_tls();
  auto c = connect_tls({.receive_buffer = 4'096});
  c.send(get("/ws/events/all_events",
             "Upgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
  EXPECT_EQ(c.read_until("\r\n\r\n").substr(9, 3), "101");
  EXPECT_TRUE(backend_.wait([&] { return backend_.joins() == 1; }));
  for (int batch = 0; batch < 30; ++batch)
    backend_.commit(50, "push", 3'000);
  EXPECT_TRUE(backend_.wait([&] { return backend_.settled(); }));
  for (seq_t seq = 1; seq <= 1'500;) {
    const auto frame = c.read_frame();
    // Pings come in between.
    if (frame.starts_with('{')) {
      ASSERT_EQ(seq_of(frame), seq);
      ++seq;
    }
  }
  EXPECT_GT(backend_.pages(), 0u);
  // A masked close; the server answers it and ends.
  c.send(std::string_view{"\x88\x82\0\0\0\0\x03\xe8", 8});
  EXPECT_EQ(c.read_frame(), (std::string{"\x03\xe8", 2}));
  EXPECT_TRUE(c.at_end());
}

TEST_F(tls_server, TakesUpANewCertificateWithoutDroppingAnybody) {
  start_tls();
  auto old = connect_tls();
  const auto before = old.serial();
  ASSERT_EQ(keeper_->look(), false);
  write(ca_.issue("DNS:hub.example"));
  ASSERT_EQ(keeper_->look(), true);
  auto fresh = connect_tls();
  ASSERT_TRUE(fresh.connected);
  EXPECT_NE(fresh.serial(), before);
  old.send(get("/healthz"));
  EXPECT_EQ(old.read_answer().status, 200);
  const auto in_use = fresh.serial();
  std::ofstream{certificate_.path()} << "no certificate";
  const auto refused = keeper_->look();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr(certificate_.path()));
  // It is told once.
  EXPECT_EQ(keeper_->look(), false);
  EXPECT_EQ(connect_tls().serial(), in_use);
}

TEST_F(tls_server, WantsACertificateOfItsAuthority) {
  files_.client_ca = authority_.path();
  start_tls();
  const auto good = ca_.issue("DNS:client");
  const test_ca others;
  const auto foreign = others.issue("DNS:client");
  const auto asked = [&](const pem_pair* certificate) {
    auto c = connect_tls({.certificate = certificate});
    // With TLS 1.3 a client gets to know with the first bytes only.
    try {
      c.send(get("/healthz"));
      return c.read_answer().status;
    } catch (const std::runtime_error&) {
      return 0;
    }
  };
  EXPECT_EQ(asked(&good), 200);
  EXPECT_EQ(asked(nullptr), 0);
  EXPECT_EQ(asked(&foreign), 0);
}

TEST_F(tls_server, NamesTheFileThatIsNoUse) {
  const auto refused = [&](const std::string& words) {
    const auto keeper = tls_keeper::open(files_);
    ASSERT_FALSE(keeper);
    EXPECT_EQ(keeper.error().code, ec::bad_configuration);
    EXPECT_THAT(keeper.error().message, HasSubstr(words));
  };
  files_.key = "/nowhere/key.pem";
  refused("[server.tls] key: /nowhere/key.pem");
  files_.key.clear();
  refused("both certificate and key");
  // The key of another certificate.
  const temporary_file other{ca_.issue("DNS:other").key};
  files_.key = other.path();
  refused("[server.tls] key: " + other.path() +
          ": does not belong to the certificate");
  files_.key = key_.path();
  const temporary_file none{"none"};
  files_.client_ca = none.path();
  refused("[server.tls] client_ca: " + none.path() +
          ": holds no readable certificate");
}

} // namespace
} // namespace eventweft::net
