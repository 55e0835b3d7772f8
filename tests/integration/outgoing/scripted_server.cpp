// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/outgoing/scripted_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cctype>
#include <csignal>
#include <stdexcept>
#include <thread>
#include <utility>

namespace eventweft::outgoing::testing_support {

namespace {

constexpr std::chrono::seconds patience{30};

struct free_ctx {
  void operator()(SSL_CTX* p) const noexcept { SSL_CTX_free(p); }
};
struct free_ssl {
  void operator()(SSL* p) const noexcept { SSL_free(p); }
};

// A connection: plain if there is no SSL.
class socket_peer final : public peer {
 public:
  socket_peer(int fd, SSL_CTX* ctx) : fd_(fd) {
    if (ctx != nullptr) {
      ssl_.reset(SSL_new(ctx));
      SSL_set_fd(ssl_.get(), fd);
    }
  }

  bool shake_hands() { return !ssl_ || SSL_accept(ssl_.get()) == 1; }

  std::string server_name() const {
    const char* name =
        ssl_ ? SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name)
             : nullptr;
    return name != nullptr ? name : "";
  }

  std::string read_request() override {
    size_t end = std::string::npos;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
      if (!read_some())
        return {};
    std::string head = buffer_.substr(0, end);
    for (auto& c : head)
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    size_t size = 0;
    const std::string key = "content-length: ";
    if (const auto at = head.find(key); at != std::string::npos)
      size = std::stoul(head.substr(at + key.size()));
    while (buffer_.size() < end + 4 + size)
      if (!read_some())
        return {};
    auto out = buffer_.substr(0, end + 4 + size);
    buffer_.erase(0, out.size());
    return out;
  }

  void send(std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto sent =
          ssl_ ? static_cast<ssize_t>(SSL_write(ssl_.get(), bytes.data(),
                                                static_cast<int>(bytes.size())))
               : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0)
        return;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }

  void wait_for_close() override {
    while (read_some())
      buffer_.clear();
  }

  void reset() override {
    const linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }

 private:
  bool read_some() {
    char chunk[4096];
    const auto got =
        ssl_ ? static_cast<ssize_t>(SSL_read(ssl_.get(), chunk, sizeof chunk))
             : ::recv(fd_, chunk, sizeof chunk, 0);
    if (got <= 0)
      return false;
    buffer_.append(chunk, static_cast<size_t>(got));
    return true;
  }

  int fd_;
  std::unique_ptr<SSL, free_ssl> ssl_;
  std::string buffer_;
};

X509* certificate_of(const std::string& pem) {
  BIO* in = BIO_new_mem_buf(pem.data(), -1);
  X509* certificate = PEM_read_bio_X509(in, nullptr, nullptr, nullptr);
  BIO_free(in);
  return certificate;
}

SSL_CTX* make_context(const pem_pair& pair, const std::string& client_ca) {
  auto* ctx = SSL_CTX_new(TLS_server_method());
  X509* certificate = certificate_of(pair.certificate);
  BIO* in = BIO_new_mem_buf(pair.key.data(), -1);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
  BIO_free(in);
  SSL_CTX_use_certificate(ctx, certificate);
  SSL_CTX_use_PrivateKey(ctx, key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  if (!client_ca.empty()) {
    X509* authority = certificate_of(client_ca);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), authority);
    X509_free(authority);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       nullptr);
  }
  return ctx;
}

} // namespace

struct scripted_server::state {
  script play;
  std::unique_ptr<SSL_CTX, free_ctx> tls;
  int listener = -1;
  uint16_t port = 0;
  std::atomic<size_t> connections = 0;
  std::mutex mutex;
  bool stopping = false;
  std::vector<int> open;
  std::vector<std::thread> threads;
  std::string server_name;
  std::thread acceptor;

  void serve(int fd) {
    // OpenSSL writes to sockets without MSG_NOSIGNAL. In this thread only: the
    // client under test has to do without.
    sigset_t broken_pipe;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
    {
      socket_peer p{fd, tls.get()};
      if (p.shake_hands()) {
        {
          const std::lock_guard lock{mutex};
          server_name = p.server_name();
        }
        play(p);
      }
    }
    const std::lock_guard lock{mutex};
    std::erase(open, fd);
    ::close(fd);
  }

  void accept_all() {
    for (;;) {
      const int fd = ::accept(listener, nullptr, nullptr);
      const std::lock_guard lock{mutex};
      if (stopping || fd < 0) {
        if (fd >= 0)
          ::close(fd);
        return;
      }
      ++connections;
      open.push_back(fd);
      threads.emplace_back([this, fd] { serve(fd); });
    }
  }
};

scripted_server::scripted_server(script s, std::optional<pem_pair> tls,
                                 const std::string& client_ca)
    : state_(std::make_unique<state>()) {
  state_->play = std::move(s);
  if (tls)
    state_->tls.reset(make_context(*tls, client_ca));
  state_->listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  auto* const raw = reinterpret_cast<sockaddr*>(&at);
  if (::bind(state_->listener, raw, size) != 0 ||
      ::listen(state_->listener, 64) != 0 ||
      ::getsockname(state_->listener, raw, &size) != 0)
    throw std::runtime_error("no port to listen on");
  state_->port = ntohs(at.sin_port);
  state_->acceptor = std::thread{[this] { state_->accept_all(); }};
}

scripted_server::~scripted_server() {
  {
    const std::lock_guard lock{state_->mutex};
    state_->stopping = true;
    for (int fd : state_->open)
      ::shutdown(fd, SHUT_RDWR);
  }
  ::shutdown(state_->listener, SHUT_RDWR);
  state_->acceptor.join();
  for (auto& t : state_->threads)
    t.join();
  ::close(state_->listener);
}

uint16_t scripted_server::port() const noexcept {
  return state_->port;
}

std::string scripted_server::url(const std::string& host,
                                 const std::string& path) const {
  return (state_->tls ? "https://" : "http://") + host + ":" +
         std::to_string(port()) + path;
}

size_t scripted_server::connections() const noexcept {
  return state_->connections;
}

std::string scripted_server::server_name() const {
  const std::lock_guard lock{state_->mutex};
  return state_->server_name;
}

scripted_server::script answering(std::string status_line, std::string body,
                                  std::string extra_headers) {
  const auto text = "HTTP/1.1 " + status_line +
                    "\r\nContent-Length: " + std::to_string(body.size()) +
                    "\r\n" + extra_headers + "\r\n" + body;
  return [text](peer& p) {
    while (!p.read_request().empty())
      p.send(text);
  };
}

void scripted_resolver::set(const std::string& name,
                            std::vector<std::vector<std::string>> to) {
  const std::lock_guard lock{mutex_};
  answers_[name] = std::move(to);
}

void scripted_resolver::never_answer(const std::string& name) {
  const std::lock_guard lock{mutex_};
  silent_[name];
}

size_t scripted_resolver::asked(const std::string& name) const {
  const std::lock_guard lock{mutex_};
  const auto it = asked_.find(name);
  return it == asked_.end() ? 0 : it->second;
}

void scripted_resolver::resolve(std::string name,
                                std::function<void(answer)> done) {
  std::unique_lock lock{mutex_};
  const auto turn = asked_[name]++;
  if (const auto it = silent_.find(name); it != silent_.end()) {
    it->second.push_back(std::move(done));
    return;
  }
  const auto it = answers_.find(name);
  if (it == answers_.end()) {
    lock.unlock();
    done(fail(ec::not_found, "no such name"));
    return;
  }
  std::vector<ip_address> out;
  for (const auto& text : it->second[std::min(turn, it->second.size() - 1)])
    out.push_back(boost::asio::ip::make_address(text));
  lock.unlock();
  done(std::move(out));
}

client_options harness::allowing_loopback() {
  client_options out;
  out.policy.allowed = {*parse_cidr("127.0.0.1")};
  return out;
}

harness::harness() : harness(allowing_loopback()) {}

harness::harness(client_options options)
    : names(std::make_shared<scripted_resolver>()) {
  names->set("hooks.example", {{"127.0.0.1"}});
  auto made = client::make(std::move(options), names);
  if (!made)
    throw std::runtime_error(made.error().message);
  sender = std::move(*made);
}

result harness::post(request what) {
  auto promise = std::make_shared<std::promise<result>>();
  auto answer = promise->get_future();
  sender->post(std::move(what),
               [promise](result r) { promise->set_value(std::move(r)); });
  if (answer.wait_for(patience) != std::future_status::ready)
    throw std::runtime_error("the client never answered");
  return answer.get();
}

result harness::post(const std::string& url, const std::string& body) {
  return post(to_url(url, body));
}

expected<void> harness::check(const std::string& url) {
  auto promise = std::make_shared<std::promise<expected<void>>>();
  auto answer = promise->get_future();
  sender->check(
      url, [promise](expected<void> r) { promise->set_value(std::move(r)); });
  if (answer.wait_for(patience) != std::future_status::ready)
    throw std::runtime_error("the client never answered");
  return answer.get();
}

request to_url(const std::string& url, const std::string& body) {
  request out;
  out.url = url;
  out.body = shared_text{body};
  return out;
}

} // namespace eventweft::outgoing::testing_support
