// SPDX-License-Identifier: Apache-2.0
#include "app/cli/http_client.hpp"

#include "crypto/tls_files.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include <array>
#include <csignal>
#include <optional>

namespace eventweft::cli {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;
using secure_stream = beast::ssl_stream<beast::tcp_stream>;

constexpr uint64_t largest_answer = 256ull << 20;
constexpr uint32_t largest_header = 256u << 10;

} // namespace

struct http_client::state {
  state(server_url s, client_options o)
      : server{std::move(s)}, options{std::move(o)} {}

  // -- waiting ---------------------------------------------------------------

  /// Starts an operation and runs it to its end.
  template <class Start>
  error_code wait(Start start) {
    if (stopped)
      return asio::error::operation_aborted;
    std::optional<error_code> result;
    start([&result](error_code ec, auto&&...) { result = ec; });
    while (!result) {
      if (context.stopped())
        context.restart();
      context.run_one();
    }
    return *result;
  }

  void stop() {
    stopped = true;
    resolver.cancel();
    timer.cancel();
    close();
  }

  // -- the connection --------------------------------------------------------

  beast::tcp_stream& lowest() {
    return secure ? beast::get_lowest_layer(*secure) : *plain;
  }
  bool connected() const { return plain || secure; }

  /// Cancels what is pending; the objects stay until the next `reset`.
  void close() {
    if (connected())
      lowest().close();
  }

  void reset() {
    plain.reset();
    secure.reset();
    buffer.clear();
  }

  tl::unexpected<error> failed(error_code ec, std::string_view doing) {
    close();
    reset();
    if (stopped)
      return fail(ec::shutting_down, "interrupted");
    const std::string who =
        (server.tls ? "https://" : "http://") + server.authority;
    if (ec == beast::error::timeout)
      return fail(ec::timed_out,
                  who + ": no answer in time while " + std::string{doing});
    std::string why = ec.message();
    if (ec == http::error::end_of_stream || ec == asio::error::eof)
      why = "the server closed the connection";
    // With TLS 1.3 a client gets to know with the answer only.
    if (ec.category() == asio::error::get_ssl_category() &&
        ERR_GET_REASON(static_cast<unsigned long>(ec.value())) ==
            SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED)
      why = "it asks for a client's certificate (--cert, --cert-key)";
    if (ec == asio::error::connection_refused)
      why += " (is `eventweft serve` running there?)";
    return fail(ec::store_unavailable,
                who + ": " + why + " while " + std::string{doing});
  }

  expected<void> connect() {
    reset();
    tcp::resolver::results_type addresses;
    auto ec = wait([&](auto done) {
      resolver.async_resolve(
          server.host, server.port,
          [&addresses, done](error_code e, tcp::resolver::results_type found) {
            addresses = std::move(found);
            done(e);
          });
    });
    if (ec)
      return failed(ec, "looking up its address");
    if (server.tls) {
      if (auto ready = prepare_tls(); !ready)
        return ready;
    } else {
      plain.emplace(context);
    }
    lowest().expires_after(options.timeout);
    ec = wait([&](auto done) { lowest().async_connect(addresses, done); });
    if (ec)
      return failed(ec, "connecting");
    error_code ignored;
    lowest().socket().set_option(tcp::no_delay{true}, ignored);
    if (!secure)
      return {};
    lowest().expires_after(options.timeout);
    ec = wait([&](auto done) {
      secure->async_handshake(asio::ssl::stream_base::client, done);
    });
    if (!ec)
      return {};
    const auto verdict = SSL_get_verify_result(secure->native_handle());
    if (verdict != X509_V_OK) {
      reset();
      return fail(ec::store_unavailable,
                  "https://" + server.authority + ": its certificate: " +
                      X509_verify_cert_error_string(verdict));
    }
    return failed(ec, "agreeing on TLS");
  }

  expected<void> prepare_tls() {
    error_code ec;
    if (!tls) {
      tls.emplace(asio::ssl::context::tls_client);
      SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
      if (options.ca.empty())
        tls->set_default_verify_paths(ec);
      else
        tls->load_verify_file(options.ca, ec);
      if (ec && !options.ca.empty()) {
        tls.reset();
        return fail(ec::bad_configuration,
                    "--ca: " + options.ca + ": " + ec.message());
      }
      if (auto shown = show_own_certificate(); !shown) {
        tls.reset();
        return shown;
      }
      tls->set_verify_mode(asio::ssl::verify_peer, ec);
    }
    secure.emplace(context, *tls);
    secure->set_verify_callback(asio::ssl::host_name_verification{server.host},
                                ec);
    error_code not_an_address;
    asio::ip::make_address(server.host, not_an_address);
    // Addresses are not sent as names (RFC 6066, 3).
    if (not_an_address &&
        !SSL_ctrl(secure->native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME,
                  TLSEXT_NAMETYPE_host_name, server.host.data()))
      return fail(ec::internal, "cannot prepare TLS");
    return {};
  }

  expected<void> show_own_certificate() {
    const auto& cert = options.certificate;
    const auto& key = options.key;
    if (cert.empty() && key.empty())
      return {};
    if (cert.empty())
      return fail(ec::bad_configuration,
                  "--cert-key: needs the certificate that it is for (--cert)");
    return crypto::show_certificate(tls->native_handle(), {"--cert", cert},
                                    {"--cert-key", key.empty() ? cert : key});
  }

  // -- one exchange ----------------------------------------------------------

  http::request<http::string_body> message(const http_request& from) const {
    http::request<http::string_body> m;
    m.version(11);
    m.method_string(from.method);
    m.target(server.base + from.target);
    m.set(http::field::host, server.authority);
    m.set(http::field::user_agent, "eventweft");
    if (!options.token.empty())
      m.set(http::field::authorization, "Bearer " + options.token);
    for (const auto& [name, value] : from.headers)
      m.set(name, value);
    m.body() = from.body;
    m.prepare_payload();
    return m;
  }

  template <class Message>
  error_code write(Message& m) {
    lowest().expires_after(options.timeout);
    return wait([&](auto done) {
      if (secure)
        http::async_write(*secure, m, done);
      else
        http::async_write(*plain, m, done);
    });
  }

  template <class Parser>
  error_code read_header(Parser& parser) {
    lowest().expires_after(options.timeout);
    return wait([&](auto done) {
      if (secure)
        http::async_read_header(*secure, buffer, parser, done);
      else
        http::async_read_header(*plain, buffer, parser, done);
    });
  }

  template <class Parser>
  error_code read_some(Parser& parser, milliseconds limit) {
    lowest().expires_after(limit);
    return wait([&](auto done) {
      if (secure)
        http::async_read_some(*secure, buffer, parser, done);
      else
        http::async_read_some(*plain, buffer, parser, done);
    });
  }

  expected<http_response>
  exchange(const http_request& request, milliseconds silence,
           const std::function<bool(std::string_view)>* take);

  server_url server;
  client_options options;
  bool stopped = false;
  asio::io_context context{1};
  tcp::resolver resolver{context};
  asio::steady_timer timer{context};
  std::optional<asio::signal_set> signals;
  std::optional<asio::ssl::context> tls;
  std::optional<beast::tcp_stream> plain;
  std::optional<secure_stream> secure;
  beast::flat_buffer buffer;
};

expected<http_response> http_client::state::exchange(
    const http_request& request, milliseconds silence,
    const std::function<bool(std::string_view)>* take) {
  auto m = message(request);
  const bool reused = connected();
  if (!reused)
    if (auto c = connect(); !c)
      return fail(c.error());
  http::response_parser<http::buffer_body> parser;
  parser.header_limit(largest_header);
  parser.body_limit(boost::none);
  if (request.method == "HEAD")
    parser.skip(true);
  const auto written = write(m);
  auto ec = written;
  // Even where writing failed there may be an answer that says why: a body
  // that is too large is refused before it is read.
  if (!stopped && written != beast::error::timeout)
    ec = read_header(parser);
  if (ec && reused && !stopped && ec != beast::error::timeout &&
      request.method == "GET") {
    // The server may have closed a connection that lay idle.
    close();
    reset();
    return exchange(request, silence, take);
  }
  // What a server has against a client, it says before it closes.
  const bool of_tls = ec.category() == asio::error::get_ssl_category();
  if (ec)
    return failed(written && !of_tls ? written : ec, "waiting for its answer");
  http_response answer;
  answer.status = static_cast<int>(parser.get().result_int());
  const auto type = parser.get()[http::field::content_type];
  answer.content_type.assign(type.data(), type.size());
  const bool stream = take && answer.status == 200 && is_event_stream(answer);
  std::array<char, 16 * 1024> piece;
  // Beast reads 512 bytes at a time unless there is room for more.
  buffer.reserve(piece.size());
  while (!parser.is_done()) {
    auto& body = parser.get().body();
    body.data = piece.data();
    body.size = piece.size();
    ec = read_some(parser, stream ? silence : options.timeout);
    const std::string_view got{piece.data(), piece.size() - body.size};
    if (stream && !got.empty() && !(*take)(got)) {
      close();
      reset();
      return answer;
    }
    if (!stream)
      answer.body.append(got);
    if (ec == http::error::need_buffer)
      ec = {};
    if (ec)
      return failed(ec, stream ? "following the stream" : "reading its answer");
    if (answer.body.size() > largest_answer)
      return failed(http::error::body_limit, "reading its answer");
  }
  if (written || !parser.get().keep_alive()) {
    close();
    reset();
  }
  return answer;
}

bool is_event_stream(const http_response& response) {
  const std::string_view type = response.content_type;
  const auto essence = type.substr(0, type.find_first_of("; \t"));
  return beast::iequals({essence.data(), essence.size()}, "text/event-stream");
}

http_client::http_client(server_url server, client_options options)
    : state_(std::make_unique<state>(std::move(server), std::move(options))) {}

http_client::~http_client() = default;

expected<http_response> http_client::send(const http_request& request) {
  return state_->exchange(request, {}, nullptr);
}

expected<http_response>
http_client::follow(const http_request& request, milliseconds silence,
                    const std::function<bool(std::string_view)>& take) {
  return state_->exchange(request, silence, &take);
}

void http_client::stop_on_signals() {
  state_->signals.emplace(state_->context, SIGINT, SIGTERM);
  state_->signals->async_wait([this](error_code ec, int) {
    if (!ec)
      state_->stop();
  });
}

bool http_client::stopped() const noexcept {
  return state_->stopped;
}

bool http_client::pause(milliseconds duration) {
  state_->timer.expires_after(duration);
  state_->wait([this](auto done) { state_->timer.async_wait(done); });
  return !state_->stopped;
}

} // namespace eventweft::cli
