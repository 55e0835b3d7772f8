// SPDX-License-Identifier: Apache-2.0
#include "net/server.hpp"

#include "net/io_thread.hpp"
#include "net/ports/access.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/basic_resolver.hpp>

#include <algorithm>
#include <charconv>
#include <future>
#include <utility>
#include <vector>

namespace eventweft::net {

namespace {

using acceptor = asio::basic_socket_acceptor<tcp, executor>;

/// Connections beyond the limit that are told so; more are just closed.
constexpr size_t refusals_at_a_time = 256;

/// The pause after an accept that failed for lack of descriptors or memory.
constexpr std::chrono::milliseconds accept_pause{100};

/// What forced ends may take.
constexpr std::chrono::seconds abort_grace{1};

struct host_port {
  std::string host;
  uint16_t port = 0;
};

expected<host_port> split_address(const std::string& listen) {
  const auto colon = listen.rfind(':');
  host_port result;
  if (colon != std::string::npos) {
    result.host = listen.substr(0, colon);
    const auto* const first = listen.data() + colon + 1;
    const auto* const last = listen.data() + listen.size();
    const auto [at, error] = std::from_chars(first, last, result.port);
    if (first != last && error == std::errc{} && at == last) {
      if (result.host.starts_with('[') && result.host.ends_with(']'))
        result.host = result.host.substr(1, result.host.size() - 2);
      if (!result.host.empty())
        return result;
    }
  }
  return fail(ec::bad_configuration,
              "can't listen on \"" + listen + "\": expected HOST:PORT");
}

bool is_loopback(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6())
        .is_loopback();
  return address.is_loopback();
}

} // namespace

std::string to_string(const bound_address& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? '[' + address.host + ']' : address.host) + ':' +
         std::to_string(address.port);
}

struct server::state {
  explicit state(server_context context)
      : shared(std::move(context)),
        counter(std::make_shared<connection_counter>(shared.figures)) {}

  expected<bound_address> listen();
  awaitable<void> accept_loop();
  void admit(io_thread& target, tcp_socket socket);

  server_context shared;
  std::shared_ptr<connection_counter> counter;
  std::vector<std::unique_ptr<io_thread>> threads;
  /// Both belong to the first thread's context.
  std::unique_ptr<acceptor> door;
  std::unique_ptr<steady_timer> pause;
  size_t next_thread = 0;
  bool stopped = false;
};

namespace {

expected<tcp::endpoint> place_to_listen(const config::server_settings& settings,
                                        bool guarded, bool switched_off,
                                        const executor& ex) {
  const auto where = split_address(settings.listen);
  if (!where)
    return fail(where.error());
  error_code ec;
  asio::ip::basic_resolver<tcp, executor> resolver{ex};
  const auto found = resolver.resolve(where->host, std::to_string(where->port),
                                      tcp::resolver::passive, ec);
  if (ec || found.empty())
    return fail(ec::bad_configuration,
                "can't listen on " + settings.listen +
                    ": the host is unknown: " + ec.message());
  const tcp::endpoint endpoint = found.begin()->endpoint();
  if (!guarded && !settings.insecure && !is_loopback(endpoint.address()))
    return fail(ec::bad_configuration,
                "refusing to listen on " + settings.listen +
                    " without authentication, where others could reach it: " +
                    (switched_off
                         ? "leave out [auth] required = false, under which "
                           "nobody is asked for a key or token"
                         : "make an API key first (eventweft keys create "
                           "--scope admin), configure [auth]") +
                    ", or say [server] insecure = true if a proxy in front "
                    "authenticates");
  return endpoint;
}

} // namespace

expected<void> may_listen(const config::server_settings& settings, bool guarded,
                          bool switched_off) {
  asio::io_context io;
  return place_to_listen(settings, guarded, switched_off, io.get_executor())
      .map([](const tcp::endpoint&) {});
}

expected<bound_address> server::state::listen() {
  const auto refuse = [&](std::string_view what, const error_code& ec) {
    // Whoever has the address may be gone in a moment.
    return fail(ec == asio::error::address_in_use ? ec::conflict
                                                  : ec::bad_configuration,
                "can't listen on " + shared.settings.listen + ": " +
                    std::string{what} + ec.message());
  };
  const auto ex = threads.front()->get_executor();
  auto* access = shared.behind.access();
  const bool guarded = access != nullptr && access->door().enforced();
  const bool switched_off = access != nullptr && access->door().switched_off();
  const auto place =
      place_to_listen(shared.settings, guarded, switched_off, ex);
  if (!place)
    return fail(place.error());
  const auto& endpoint = *place;
  if (!guarded && !is_loopback(endpoint.address()))
    shared.log->warn("serving beyond this machine without authentication "
                     "([server] insecure)");
  error_code ec;
  door = std::make_unique<acceptor>(ex);
  door->open(endpoint.protocol(), ec);
  if (!ec)
    door->set_option(asio::socket_base::reuse_address{true}, ec);
  if (!ec)
    door->bind(endpoint, ec);
  if (!ec)
    door->listen(asio::socket_base::max_listen_connections, ec);
  if (ec)
    return refuse("", ec);
  pause = std::make_unique<steady_timer>(ex);
  const auto bound = door->local_endpoint(ec);
  return bound_address{bound.address().to_string(), bound.port()};
}

awaitable<void> server::state::accept_loop() {
  while (door->is_open()) {
    auto& target = *threads[next_thread++ % threads.size()];
    error_code ec;
    auto socket = co_await door->async_accept(target.get_executor(), into(ec));
    if (!ec) {
      admit(target, std::move(socket));
    } else if (door->is_open()) {
      shared.log->warn("can't accept a connection: {}", ec.message());
      pause->expires_after(accept_pause);
      co_await pause->async_wait(into(ec));
    }
  }
}

void server::state::admit(io_thread& target, tcp_socket socket) {
  const size_t open = counter->count();
  const size_t limit = shared.settings.max_connections;
  const bool refused = open >= limit;
  if (refused) {
    shared.figures.connection_refused();
    if (open >= limit + refusals_at_a_time)
      return;
  }
  target.adopt(std::move(socket), counter->open(), refused);
}

server::server(const config::server_settings& settings,
               const config::streaming_settings& streaming, backend& behind,
               metrics& figures, logger_ptr log, const clock& time,
               random_source& random)
    : state_(std::make_unique<state>(server_context{
          settings, streaming, behind, figures, std::move(log), time, random,
          nullptr, std::make_shared<reader_census>()})) {}

server::~server() {
  stop(std::chrono::milliseconds{0});
  for (const auto& t : state_->threads)
    t->join();
  // They go after the thread that used them and before their context.
  state_->door.reset();
  state_->pause.reset();
  state_->threads.clear();
}

void server::use_tls(std::shared_ptr<tls_keeper> keeper) {
  state_->shared.tls = std::move(keeper);
}

expected<bound_address> server::start() {
  auto& s = *state_;
  const auto wanted = s.shared.settings.threads;
  const auto count =
      wanted != 0 ? wanted : std::max(1u, std::thread::hardware_concurrency());
  for (uint32_t i = 0; i != count; ++i)
    s.threads.push_back(std::make_unique<io_thread>(s.shared));
  for (const auto& t : s.threads)
    s.shared.readers->add(t->readers());
  auto bound = s.listen();
  if (!bound) {
    s.door.reset();
    s.threads.clear();
    return bound;
  }
  asio::co_spawn(s.threads.front()->get_executor(), s.accept_loop(),
                 asio::detached);
  for (const auto& t : s.threads)
    t->start();
  if (auto* access = s.shared.behind.access())
    access->door().on_revoked([&s, &door = access->door()] {
      for (const auto& t : s.threads)
        t->recheck(
            [&door](const auth::standing& in) { return door.alive(in); });
    });
  return bound;
}

bool server::stop(std::chrono::milliseconds deadline, reader_end why) {
  auto& s = *state_;
  if (s.threads.empty() || std::exchange(s.stopped, true))
    return true;
  if (auto* access = s.shared.behind.access())
    access->door().on_revoked(nullptr);
  const auto until = steady_clock::now() + deadline;
  std::promise<void> shut;
  s.threads.front()->way_in()->post([&] {
    error_code ignored;
    s.door->close(ignored);
    s.pause->cancel();
    // After the last connection was handed out.
    for (const auto& t : s.threads)
      t->drain(why);
    shut.set_value();
  });
  shut.get_future().wait();
  const bool done = s.counter->wait_for_none(until);
  if (!done) {
    s.shared.log->warn("{} connections had to be cut off", s.counter->count());
    for (const auto& t : s.threads)
      t->abort();
    s.counter->wait_for_none(steady_clock::now() + abort_grace);
  }
  return done;
}

} // namespace eventweft::net
