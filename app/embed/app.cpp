// SPDX-License-Identifier: Apache-2.0
#include "app/actor_host.hpp"
#include "app/embed/app_impl.hpp"
#include "app/embed/drafts.hpp"
#include "app/local_platform.hpp"
#include "app/signals.hpp"
#include "codec/payload.hpp"

#include <algorithm>
#include <csignal>
#include <optional>
#include <thread>

namespace eventweft {

App::App(std::string name, Config config)
    : impl_(std::make_unique<Impl>(std::move(name), std::move(config))) {}

App::~App() {
  cleanup();
}

// -- life ---------------------------------------------------------------------

void App::start() {
  auto& s = *impl_;
  std::lock_guard once{s.lifecycle};
  if (s.hub)
    throw Error{Errc::conflict, s.name + " is running already"};
  // Both kinds come anew: the configuration's and the host's.
  for (const auto& p : s.processors->all())
    s.processors->remove(p->what.name);
  const auto settings = embed::access::resolve(s.config);
  const auto log = embed::access::make_log(s.config, settings, s.name);
  {
    std::lock_guard guard{s.end->mutex};
    s.end->asked = false;
    s.end->failure.clear();
  }
  service_options options;
  options.http = embed::access::serves_http(s.config);
  options.local_events = true;
  options.processors = s.processors;
  const bool durable = !settings.store.url.starts_with("memory:");
  std::exception_ptr thrown;
  service* starting = nullptr;
  options.prepared = [&](actor_host& actors) -> expected<void> {
    try {
      s.readers.attach({actors, starting->figures(), log, durable});
      std::lock_guard guard{s.handlers_mutex};
      s.hand_over_handlers(actors.backend());
      return {};
    } catch (...) {
      thrown = std::current_exception();
      s.readers.detach();
      return fail(ec::internal, "what the host registered was refused");
    }
  };
  options.undo = [&s] { s.readers.detach(); };
  auto hub = std::make_unique<service>(
      settings, log,
      [end = s.end](std::string why) {
        std::lock_guard guard{end->mutex};
        end->failure = std::move(why);
        end->changed.notify_all();
      },
      options);
  for (const auto& rule : s.rules)
    hub->add_correlation_rule(rule);
  starting = hub.get();
  auto started = hub->start();
  if (!started) {
    if (thrown)
      std::rethrow_exception(thrown);
    embed::raise(started.error());
  }
  const auto address = *started;
  if (!durable)
    log->info("{}: events are kept in memory only, for want of [store] url",
              s.name);
  s.durable = durable;
  std::lock_guard handlers{s.handlers_mutex};
  try {
    // Those that were registered meanwhile.
    s.hand_over_handlers(hub->actors().backend());
  } catch (...) {
    s.readers.detach();
    hub->stop();
    throw;
  }
  std::unique_lock lock{s.gate};
  s.hub = std::move(hub);
  s.address = address.host.empty() ? std::string{} : net::to_string(address);
}

bool App::stop() noexcept {
  auto& s = *impl_;
  std::lock_guard once{s.lifecycle};
  std::unique_ptr<service> hub;
  // Callbacks may still ask the app for something while they end.
  s.readers.detach();
  {
    std::unique_lock lock{s.gate};
    hub = std::move(s.hub);
    s.address.clear();
  }
  // Those who wait in `run` or `wait` have nothing to wait for any more.
  request_stop();
  return hub ? hub->stop() : true;
}

void App::run(RunOptions options) {
  auto& s = *impl_;
  std::optional<signal_waiter> signals;
  if (options.handle_signals)
    signals.emplace();
  if (!running())
    start();
  if (options.on_start)
    options.on_start();
  {
    std::optional<std::jthread> listener;
    if (signals)
      listener.emplace([&] {
        while (const auto got = signals->wait()) {
          if (*got != SIGHUP) {
            request_stop();
            return;
          }
          std::shared_lock guard{s.gate};
          if (s.hub)
            s.hub->reload();
        }
      });
    std::unique_lock lock{s.end->mutex};
    s.end->changed.wait(
        lock, [&] { return s.end->asked || !s.end->failure.empty(); });
    lock.unlock();
    if (signals)
      signals->wake();
  }
  stop();
  if (auto why = failure(); !why.empty())
    throw Error{Errc::internal, why};
}

void App::request_stop() noexcept {
  std::lock_guard guard{impl_->end->mutex};
  impl_->end->asked = true;
  impl_->end->changed.notify_all();
}

bool App::wait(std::chrono::milliseconds at_most) {
  auto& e = *impl_->end;
  std::unique_lock lock{e.mutex};
  return e.changed.wait_for(lock, at_most,
                            [&] { return e.asked || !e.failure.empty(); });
}

void App::cleanup() noexcept {
  stop();
  impl_->readers.clear();
  std::lock_guard guard{impl_->handlers_mutex};
  impl_->handlers.clear();
  for (const auto& p : impl_->processors->all())
    impl_->processors->remove(p->what.name);
}

bool App::running() const noexcept {
  std::shared_lock lock{impl_->gate};
  return impl_->hub != nullptr;
}

std::string App::failure() const {
  std::lock_guard guard{impl_->end->mutex};
  return impl_->end->failure;
}

const std::string& App::name() const noexcept {
  return impl_->name;
}

std::string App::address() const {
  std::shared_lock lock{impl_->gate};
  return impl_->address;
}

// -- events -------------------------------------------------------------------

std::future<Submitted> App::Impl::submit(webhook w) const {
  w.received_at = time->now();
  const auto promise = std::make_shared<std::promise<Submitted>>();
  auto out = promise->get_future();
  try {
    with_hub([&](service& s) {
      s.actors().backend().accept(
          std::move(w), [promise](expected<webhook_answer> answer) {
            const auto stored = read_local_answer(std::move(answer));
            if (stored)
              promise->set_value({to_string(stored->id), stored->seq,
                                  stored->duplicate, stored->spooled});
            else
              promise->set_exception(
                  std::make_exception_ptr(embed::to_error(stored.error())));
          });
    });
  } catch (const Error&) {
    promise->set_exception(std::current_exception());
  }
  return out;
}

std::future<Submitted>
App::submit_deployment_event_async(const DeploymentEvent& event) {
  return impl_->submit_draft([&] { return embed::draft(event); });
}

std::future<Submitted>
App::submit_custom_event_async(const CustomEvent& event) {
  return impl_->submit_draft([&] { return embed::draft(event); });
}

std::future<Submitted> App::simulate_event_async(std::string_view platform,
                                                 std::string_view event_type,
                                                 std::string_view payload) {
  const auto now = impl_->time->now();
  return impl_->submit_draft([&] {
    return embed::draft_simulated(platform, event_type, payload,
                                  to_string(uuid::v7(now, *impl_->random)),
                                  now);
  });
}

Submitted App::submit_deployment_event(const DeploymentEvent& event) {
  return submit_deployment_event_async(event).get();
}

Submitted App::submit_custom_event(const CustomEvent& event) {
  return submit_custom_event_async(event).get();
}

Submitted App::simulate_event(std::string_view platform,
                              std::string_view event_type,
                              std::string_view payload) {
  return simulate_event_async(platform, event_type, payload).get();
}

event_page App::Impl::query(event_query q) const {
  const auto promise = std::make_shared<std::promise<expected<event_page>>>();
  auto answered = promise->get_future();
  with_hub([&](service& s) {
    s.actors().backend().query(std::move(q),
                               [promise](expected<event_page> page) {
                                 promise->set_value(std::move(page));
                               });
  });
  return embed::unwrap(answered.get());
}

std::vector<Event> App::get_recent_events(std::size_t limit) const {
  event_query q;
  q.limit = std::clamp<std::size_t>(limit, 1, 1'000);
  std::vector<Event> out;
  for (auto& ev : impl_->query(q).events)
    out.push_back(embed::access::wrap(std::move(ev)));
  if (limit == 0)
    out.clear();
  return out;
}

std::optional<Event> App::get_event(std::string_view id) const {
  const auto parsed = uuid::parse(id);
  if (!parsed)
    throw Error{Errc::malformed, "an event's id is a UUID"};
  using found = std::optional<event_ptr>;
  const auto promise = std::make_shared<std::promise<expected<found>>>();
  auto answered = promise->get_future();
  impl_->with_hub([&](service& s) {
    s.actors().backend().find(*parsed, [promise](expected<found> x) {
      promise->set_value(std::move(x));
    });
  });
  auto ev = embed::unwrap(answered.get());
  if (!ev || !*ev)
    return std::nullopt;
  return embed::access::wrap(std::move(*ev));
}

EventMetrics App::get_event_metrics() const {
  EventMetrics out;
  out.json = impl_->with_hub(
      [](service& s) { return s.actors().backend().metrics_json(); });
  codec::payload_reader reader;
  const auto root = reader.parse(out.json);
  const auto number = [&](const char* pointer) {
    int64_t n = 0;
    if (root && root->at_pointer(pointer).get(n))
      n = 0;
    return n;
  };
  const auto count = [&](const char* pointer) {
    return static_cast<uint64_t>(number(pointer));
  };
  out.events_received = count("/processing/events_received");
  out.events_processed = count("/processing/events_processed");
  out.events_failed = count("/processing/events_failed");
  out.events_duplicates = count("/processing/events_duplicates");
  out.events_spooled = count("/processing/events_spooled");
  out.head_seq = number("/processing/head_seq");
  return out;
}

std::string App::subscribe_to_events(const std::string& stream,
                                     EventCallback callback,
                                     const std::string& subscriber,
                                     const Filter& filter, Since since) {
  if (!callback)
    throw Error{Errc::unprocessable, "a subscription needs a callback"};
  embed::reader_spec spec;
  spec.id = to_string(uuid::v7(impl_->time->now(), *impl_->random));
  spec.stream = stream;
  spec.subscriber = subscriber;
  spec.filter = embed::access::internal(filter);
  spec.start = embed::access::internal(since);
  spec.callback = std::move(callback);
  auto id = spec.id;
  impl_->readers.add(std::move(spec));
  return id;
}

bool App::unsubscribe_from_events(const std::string& id) {
  return impl_->readers.remove(id);
}

} // namespace eventweft
