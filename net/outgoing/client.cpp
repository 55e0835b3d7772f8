// SPDX-License-Identifier: Apache-2.0
#include "net/outgoing/client.hpp"

#include "net/gate.hpp"
#include "net/outgoing/connection.hpp"
#include "net/outgoing/exchange.hpp"
#include "net/outgoing/target.hpp"
#include "net/outgoing/tls.hpp"
#include "net/outgoing/types.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>
#include <utility>

namespace eventweft::outgoing {

namespace {

// How often idle connections are looked through.
constexpr std::chrono::seconds sweep_interval{5};

result failed(failure_kind kind, std::string message) {
  return tl::unexpected<failure>{failure{kind, std::move(message), {}}};
}

// Somebody's request, which gets its answer even if nobody ever works on it.
class job {
 public:
  job(request r, std::function<void(result)> done, std::atomic<size_t>& count)
      : what(std::move(r)), done_(std::move(done)), in_flight_(count) {
    ++in_flight_;
  }
  ~job() {
    if (done_)
      finish(failed(failure_kind::shutting_down, "the hub is stopping"));
  }
  job(const job&) = delete;
  job& operator=(const job&) = delete;

  void finish(result r) {
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
        steady_clock::now() - started);
    if (r)
      r->duration = took;
    else
      r.error().duration = took;
    --in_flight_;
    std::exchange(done_, nullptr)(std::move(r));
  }

  const request what;
  const deadline started = steady_clock::now();

 private:
  std::function<void(result)> done_;
  std::atomic<size_t>& in_flight_;
};

// The same for a question about a URL.
class question {
 public:
  question(std::string u, std::function<void(expected<void>)> done)
      : url(std::move(u)), done_(std::move(done)) {}
  ~question() {
    if (done_)
      done_(fail(ec::shutting_down, "the hub is stopping"));
  }
  question(const question&) = delete;
  question& operator=(const question&) = delete;

  void finish(expected<void> answer) {
    std::exchange(done_, nullptr)(std::move(answer));
  }

  const std::string url;

 private:
  std::function<void(expected<void>)> done_;
};

error as_error(const failure& why) {
  switch (why.kind) {
  case failure_kind::resolve:
    return {ec::not_found, "url: " + why.message};
  case failure_kind::timed_out:
    return {ec::timed_out, "url: " + why.message};
  case failure_kind::overloaded:
    return {ec::overloaded, why.message};
  case failure_kind::shutting_down:
    return {ec::shutting_down, why.message};
  default:
    return {ec::unprocessable, "url: " + why.message};
  }
}

} // namespace

/// The thread and everything that lives on it.
class client::worker {
 public:
  worker(client_options options, std::shared_ptr<resolver> names,
         std::unique_ptr<asio::ssl::context> tls)
      : options_(std::move(options)),
        tls_(std::move(tls)),
        idle_(options_.idle),
        context_(std::in_place, 1),
        way_in_(std::make_shared<net::gate>(*context_)),
        dial_{context_->get_executor(), way_in_, std::move(names),
              options_.policy, tls_.get()} {
    asio::co_spawn(context_->get_executor(), sweep(), asio::detached);
    thread_ = std::thread{[this] { context_->run(); }};
  }

  ~worker() {
    way_in_->close();
    context_->stop();
    thread_.join();
    way_in_->drop();
    idle_.clear();
    // Ends the coroutines that were waiting; their jobs tell the callers.
    context_.reset();
  }

  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  void post(request what, std::function<void(result)> done) {
    auto j =
        std::make_unique<job>(std::move(what), std::move(done), in_flight_);
    if (in_flight_ > options_.max_in_flight) {
      j->finish(
          failed(failure_kind::overloaded, "too many requests are under way"));
      return;
    }
    start(std::move(j),
          [this](std::unique_ptr<job> mine) { return run(std::move(mine)); });
  }

  void check(std::string url, std::function<void(expected<void>)> done) {
    start(std::make_unique<question>(std::move(url), std::move(done)),
          [this](std::unique_ptr<question> mine) {
            return run_check(std::move(mine));
          });
  }

 private:
  template <class Task, class Coroutine>
  void start(std::unique_ptr<Task> task, Coroutine make) {
    way_in_->post([this, make, task = std::move(task)]() mutable {
      asio::co_spawn(context_->get_executor(), make(std::move(task)),
                     asio::detached);
    });
  }

  awaitable<void> run(std::unique_ptr<job> mine) {
    auto outcome = co_await attempt(*mine);
    mine->finish(std::move(outcome));
  }

  awaitable<result> attempt(const job& mine) {
    const auto& what = mine.what;
    auto to = parse_target(what.url);
    if (!to)
      co_return failed(failure_kind::bad_request, to.error().message);
    if (auto bad = bad_header(what.headers))
      co_return failed(failure_kind::bad_request, std::move(*bad));
    const auto until = mine.started + what.total_timeout;
    auto open = idle_.take(to->origin, steady_clock::now());
    for (;;) {
      if (!open) {
        const auto dial_until =
            std::min(until, steady_clock::now() + what.connect_timeout);
        auto dialled = co_await dial(dial_, *to, dial_until);
        if (!dialled)
          co_return tl::unexpected<failure>{std::move(dialled.error())};
        open = std::move(*dialled);
      }
      const bool used = open->used;
      auto done =
          co_await exchange(*open, what, *to, options_.user_agent, until);
      if (done.reusable)
        idle_.put(std::exchange(open, nullptr), steady_clock::now());
      else
        open = nullptr;
      if (!done.outcome && done.never_taken && used)
        continue; // a fresh connection now, so at most once
      co_return std::move(done.outcome);
    }
  }

  awaitable<void> run_check(std::unique_ptr<question> mine) {
    const auto to = parse_target(mine->url);
    if (!to) {
      mine->finish(fail(to.error()));
      co_return;
    }
    const auto until = steady_clock::now() + request{}.connect_timeout;
    const auto found = co_await checked_addresses(dial_, *to, until);
    mine->finish(found ? expected<void>{} : fail(as_error(found.error())));
  }

  awaitable<void> sweep() {
    steady_timer timer{context_->get_executor()};
    for (;;) {
      error_code ec;
      timer.expires_after(sweep_interval);
      co_await timer.async_wait(into(ec));
      idle_.expire(steady_clock::now());
    }
  }

  const client_options options_;
  const std::unique_ptr<asio::ssl::context> tls_;
  std::atomic<size_t> in_flight_ = 0;
  idle_pool idle_;
  std::optional<asio::io_context> context_;
  const net::gate_ptr way_in_;
  const dialer dial_;
  std::thread thread_;
};

expected<std::unique_ptr<client>>
client::make(client_options options, std::shared_ptr<resolver> names) {
  auto tls = make_tls_context(options.ca_file);
  if (!tls)
    return fail(std::move(tls.error()));
  return std::unique_ptr<client>{new client{std::make_unique<worker>(
      std::move(options), std::move(names), std::move(*tls))}};
}

client::client(std::unique_ptr<worker> w) : worker_(std::move(w)) {}

client::~client() = default;

void client::post(request what, std::function<void(result)> done) {
  worker_->post(std::move(what), std::move(done));
}

void client::check(std::string url, std::function<void(expected<void>)> done) {
  worker_->check(std::move(url), std::move(done));
}

} // namespace eventweft::outgoing
