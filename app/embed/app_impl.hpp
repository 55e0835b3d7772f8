// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/streams.hpp"
#include "app/actor_host.hpp"
#include "app/embed/access.hpp"
#include "app/embed/internal_readers.hpp"
#include "app/service.hpp"
#include "correlation/custom_rule.hpp"
#include "messages/webhook.hpp"
#include "processing/registry.hpp"

#include <eventweft/app.hpp>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

namespace eventweft {

/// What an app is made of. `hub` is there while it runs; whoever uses it holds
/// `gate` shared, for as long as it takes to ask, not to wait for the answer.
struct App::Impl {
  Impl(std::string n, Config c) : name(std::move(n)), config(std::move(c)) {}

  /// Whoever waits for the end. Outlives the hub, which may write to it on any
  /// thread.
  struct ending {
    std::mutex mutex;
    std::condition_variable changed;
    bool asked = false;
    std::string failure;
  };

  /// Calls `f(service&)`, or throws `not_running`.
  template <class F>
  auto with_hub(F f) const {
    std::shared_lock lock{gate};
    if (!hub)
      throw Error{Errc::not_running, name + " is not running"};
    return f(*hub);
  }

  /// Asks and waits: `ask(backend, reply)`.
  template <class T, class Ask>
  T answer_of(Ask ask) const {
    const auto promise = std::make_shared<std::promise<expected<T>>>();
    auto answered = promise->get_future();
    with_hub([&](service& s) {
      ask(s.actors().backend(),
          [promise](expected<T> x) { promise->set_value(std::move(x)); });
    });
    return embed::unwrap(answered.get());
  }

  std::future<Submitted> submit(webhook w) const;
  /// `draft()` makes the webhook; what it throws is in the future, too.
  template <class Draft>
  std::future<Submitted> submit_draft(Draft draft) const {
    try {
      return submit(draft());
    } catch (const Error&) {
      std::promise<Submitted> refused;
      refused.set_exception(std::current_exception());
      return refused.get_future();
    }
  }
  /// Asks and waits.
  event_page query(event_query q) const;
  stream_definition stream(const std::string& which) const;
  void register_processor(ProcessorSpec spec);
  bool unregister_processor(std::string_view key);
  /// Throws `conflict` while the app runs.
  void add_rule(correlation::rule_ptr rule);
  /// Gives the engine those handlers that it does not have yet.
  void hand_over_handlers(net::backend& line);
  StreamEndpoint endpoint(std::string scheme, std::string path,
                          const std::string& which, const Filter& filter,
                          const Since& since) const;

  const std::string name;
  const Config config;
  const std::shared_ptr<ending> end = std::make_shared<ending>();
  const processing::registry_ptr processors =
      std::make_shared<processing::registry>();
  const std::shared_ptr<system_clock> time = std::make_shared<system_clock>();
  const std::shared_ptr<system_random> random =
      std::make_shared<system_random>();

  /// One start or stop at a time.
  std::mutex lifecycle;
  mutable std::shared_mutex gate;
  std::unique_ptr<service> hub;
  std::string address;
  /// Whether the store outlives the process.
  std::atomic<bool> durable = false;
  std::vector<correlation::rule_ptr> rules;
  /// The host's, in and out of the engine. Taken before `gate`.
  std::mutex handlers_mutex;
  std::map<std::string, processing::processor, std::less<>> handlers;
  embed::internal_readers readers;
};

} // namespace eventweft
