// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <eventweft/config.hpp>
#include <eventweft/errors.hpp>
#include <eventweft/event.hpp>
#include <eventweft/export.hpp>
#include <eventweft/filter.hpp>
#include <eventweft/handler.hpp>
#include <eventweft/reply.hpp>
#include <eventweft/streaming.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace eventweft {

/// "0.1.0"
EVENTWEFT_EXPORT const char* version() noexcept;

/// An event that is durable.
struct Submitted {
  std::string id{};
  /// Its place in the log; 0 while it waits in the spool.
  int64_t seq = 0;
  /// It was there already: `id` and `seq` are the first one's.
  bool duplicate = false;
  /// In the spool, since the store is away.
  bool spooled = false;
};

/// A deployment that began, succeeded, failed … Empty members are left out.
struct DeploymentEvent {
  std::string deployment_id{};
  std::string environment{};
  /// The event's type will be "deployment:STATUS".
  std::string status{};
  std::string repository_name{};
  std::string commit_sha{};
  std::string branch_name{};
  std::string actor{};
  std::string deployment_url{};
  std::string log_url{};
  /// 0: none.
  int64_t pull_request = 0;
};

/// Anything else that happened.
struct CustomEvent {
  /// a-z, 0-9, `_`, `-`; not one that proves its events by itself ("github").
  std::string platform = "custom";
  std::string event_type{};
  /// A JSON text.
  std::string payload = "{}";
  Priority priority = Priority::normal;
  /// Submitting the same (platform, event_id) twice stores it once. Empty: a
  /// new one.
  std::string event_id{};
  std::string source_id{};
  std::string source_name{};
  std::string actor_id{};
  std::string actor_name{};
  /// A UUID; empty: as the rules find it.
  std::string correlation_id{};
  /// A JSON object's text.
  std::string metadata = "{}";
};

/// The figures since the start; all of them, with the queues and streams, are
/// in `json`, as `GET /api/v1/metrics` has them.
struct EventMetrics {
  uint64_t events_received = 0;
  /// Stored: what came in, less what failed and what was there already.
  uint64_t events_processed = 0;
  uint64_t events_failed = 0;
  uint64_t events_duplicates = 0;
  uint64_t events_spooled = 0;
  /// The log's last `seq`.
  int64_t head_seq = 0;
  std::string json{};
};

/// A rule that finds out which events belong together: one that matches
/// `filter` gets the key that `key` makes of it, and events with equal keys
/// share a thread (docs/correlation.md).
struct CorrelationRule {
  std::string name{};
  Filter filter{};
  /// A text with values in braces: a path ("payload.ticket.id", "source_name"),
  /// or a group of `pattern` ("{1}"). A value that is not there: no key.
  std::string key{};
  /// With a pattern: the path of the text it is looked for in.
  std::string field{};
  /// RE2. Each match gives a key, at most 20.
  std::string pattern{};
  /// 0 … 1; keys below `[correlation]`'s threshold do not link.
  float confidence = 1;
  /// An event does not link through a key that was last seen longer ago than
  /// this; 0: for ever.
  std::chrono::seconds window{0};
};

/// What a function finds in an event: events with equal keys share a thread.
struct CorrelationKey {
  /// "order:17". A key of a built-in family ("ENG-42", a pull request's URL) is
  /// brought into its canonical form, so it leads to what the others find.
  std::string key{};
  /// What kind of link it is, such as "deployment_to_pr"; empty:
  /// "event_to_custom".
  std::string type{};
  /// As in `CorrelationRule`.
  float confidence = 1;
  std::chrono::seconds window{0};
};

namespace detail {

inline void take_keys(std::vector<CorrelationKey>& out, CorrelationKey key) {
  if (!key.key.empty())
    out.push_back(std::move(key));
}
inline void take_keys(std::vector<CorrelationKey>& out, std::string key) {
  take_keys(out, CorrelationKey{.key = std::move(key)});
}
template <class T>
void take_keys(std::vector<CorrelationKey>& out, std::optional<T> one) {
  if (one)
    take_keys(out, std::move(*one));
}
template <class T>
void take_keys(std::vector<CorrelationKey>& out, std::vector<T> several) {
  for (auto& one : several)
    take_keys(out, std::move(one));
}

} // namespace detail

class App;

/// One platform's handlers.
class EVENTWEFT_EXPORT Platform {
 public:
  /// Runs the handler for each of the platform's events of that type: exact,
  /// with `*` as a wildcard, and "Issue" is also "Issue:create". May be called
  /// before and after the start.
  ///
  /// Throws `Error`: `unprocessable` for a name or an option that can't be,
  /// `conflict` for a name that is taken.
  Platform& on(std::string_view event_type, Handler handler,
               ProcessorOptions options = {});

 private:
  friend class App;
  Platform(App& app, std::string name) : app_(app), name_(std::move(name)) {}

  App& app_;
  std::string name_;
};

/// Processors and what finds out what belongs together.
class EVENTWEFT_EXPORT EventEngine {
 public:
  /// As `Platform::on`, for any filter.
  void register_processor(ProcessorSpec spec);

  /// Nothing is handed to it any more. What it has not done is remembered in
  /// the store, and goes on if one of that name is registered again. False if
  /// there is none.
  bool unregister_processor(std::string_view name);

  std::vector<std::string> processors() const;

  /// In force from the next start on. Throws `bad_configuration` for a rule
  /// that can't be read, `conflict` while the app runs.
  void add_correlation_rule(const CorrelationRule& rule);

  /// The same with a function in its place. It takes `const Event&` (which has
  /// no `seq` and no thread yet) and returns a key as a string (empty: none),
  /// an `optional` of one, several strings, one `CorrelationKey` or several.
  /// It runs for every event, on several threads at the same time, and must
  /// give the same for the same event always. If it throws, the event goes on
  /// without it; after `[correlation] max_failures` in a row it is switched off
  /// until the next start.
  template <class F>
  requires std::is_invocable_v<const F&, const Event&>
  void add_correlation_rule(std::string name, F f) {
    add_function(std::move(name), [call = std::move(f)](const Event& ev) {
      std::vector<CorrelationKey> out;
      using result = std::decay_t<decltype(call(ev))>;
      if constexpr (std::is_convertible_v<result, std::string>)
        detail::take_keys(out, std::string{call(ev)});
      else
        detail::take_keys(out, call(ev));
      return out;
    });
  }

 private:
  friend class App;
  explicit EventEngine(App& app) : app_(app) {}

  void add_function(std::string name,
                    std::function<std::vector<CorrelationKey>(const Event&)> f);

  App& app_;
};

/// Streams and who reads them.
class EVENTWEFT_EXPORT Streaming {
 public:
  /// `conflict` if there is one of that name. Needs a running app. A store
  /// that is not in memory keeps it.
  void create_stream(const std::string& name, const Filter& filter = {},
                     const std::string& description = {});
  /// What is given takes the place of what was; readers go on where they are.
  /// `not_found` if there is no such stream, `conflict` for one that is built
  /// in ("all_events", "github_events", …).
  void change_stream(const std::string& name,
                     const std::optional<Filter>& filter,
                     const std::optional<std::string>& description = {});
  /// False if there is none; `conflict` for one that is built in.
  bool delete_stream(const std::string& name);
  std::vector<StreamInfo> streams() const;

  /// Where a WebSocket, or SSE, client reads the stream with this filter. The
  /// server keeps nothing for it: the client connects whenever it likes, and
  /// resumes by the cursor that it holds. `not_found` if there is no such
  /// stream, `not_supported` if the app serves no HTTP.
  StreamEndpoint subscribe_websocket(const std::string& stream,
                                     const Filter& filter = {},
                                     Since since = {}) const;
  StreamEndpoint subscribe_sse(const std::string& stream,
                               const Filter& filter = {},
                               Since since = {}) const;

  /// Has the stream's events POSTed to `url`, signed, tried again, each at
  /// least once, until it is deleted; it outlives the app. `not_supported` with
  /// a store in memory, `unprocessable` for a URL that nothing may be sent to
  /// (`[webhooks] allow_private_networks`).
  WebhookSubscription subscribe_webhook(const std::string& stream,
                                        const std::string& url,
                                        const WebhookOptions& options = {});
  bool unsubscribe_webhook(const std::string& stream, const std::string& id);

  /// Calls back within this process; returns the subscription's id. The same
  /// as `App::subscribe_to_events`.
  std::string subscribe_internal(const std::string& stream,
                                 EventCallback callback,
                                 const std::string& subscriber = {},
                                 const Filter& filter = {}, Since since = {});
  bool unsubscribe(const std::string& id);
  /// Those that call back.
  std::vector<InternalSubscription> subscriptions() const;

  /// Stores a custom event and thereby sends it to whoever reads `stream` (and
  /// every other stream that it belongs to). `unprocessable` if the stream's
  /// filter would not let it through, in which case nothing is stored.
  Submitted broadcast_event(const std::string& stream, CustomEvent event);

  /// `not_found` if there is no such stream.
  StreamStats get_stream_stats(const std::string& stream) const;

 private:
  friend class App;
  explicit Streaming(App& app) : app_(app) {}

  App& app_;
};

/// The hub inside a program: webhooks in, a durable log, handlers, streams.
///
/// Every call is thread-safe, and every failure is an `Error`; nothing else is
/// thrown, and no failure within ends the process. There may be several apps
/// in a process. An app touches neither signals (unless `RunOptions` asks for
/// it) nor any global logger; its threads start with `start` and are gone when
/// `stop` returns.
///
/// `stop`, `cleanup` and the destructor wait for handlers and callbacks that
/// run: they must not be called from within one (`request_stop` may be).
class EVENTWEFT_EXPORT App {
 public:
  /// `name` is for the log. Opens and starts nothing.
  explicit App(std::string name, Config config = {});
  /// As `cleanup`.
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  // -- handlers
  // ----------------------------------------------------------------

  Platform github() { return platform("github"); }
  Platform linear() { return platform("linear"); }
  Platform slack() { return platform("slack"); }
  Platform deployments() { return platform("deployments"); }
  /// Any other one, also those of custom events.
  Platform platform(std::string name) { return {*this, std::move(name)}; }

  EventEngine event_engine() { return EventEngine{*this}; }
  Streaming streaming() { return Streaming{*this}; }

  // -- events
  // ------------------------------------------------------------------

  /// Each returns once the event is durable (with a store in memory: once it
  /// is in the log). Throws `Error`: `malformed`, `unprocessable` for what the
  /// event holds; `overloaded`, `store_unavailable`, `store_full`, `timed_out`
  /// when it could not be stored; `not_running`.
  Submitted submit_deployment_event(const DeploymentEvent& event);
  Submitted submit_custom_event(const CustomEvent& event);
  /// Takes in `payload`, a JSON object's text, as if the platform had sent it,
  /// but without a signature: read by the platform's own code, stored,
  /// streamed and handled like a real one. What the platform tells outside of
  /// the payload's main part (GitHub's event header, Slack's envelope, the name
  /// of a slash command) is made from `event_type`. A slash command
  /// (`slash_command:/x`) reaches handlers as the form that Slack sends: all of
  /// its values are texts.
  Submitted simulate_event(std::string_view platform,
                           std::string_view event_type,
                           std::string_view payload);

  /// The same without waiting. The future holds the `Error`.
  std::future<Submitted>
  submit_deployment_event_async(const DeploymentEvent& event);
  std::future<Submitted> submit_custom_event_async(const CustomEvent& event);
  std::future<Submitted> simulate_event_async(std::string_view platform,
                                              std::string_view event_type,
                                              std::string_view payload);

  /// See `Streaming::subscribe_internal`. Before the start it is only noted,
  /// and calls back from the start on.
  std::string subscribe_to_events(const std::string& stream,
                                  EventCallback callback,
                                  const std::string& subscriber = {},
                                  const Filter& filter = {}, Since since = {});
  /// When it returns, the callback is not running and is not called again
  /// (from within the callback: is not called again). False if there is none.
  bool unsubscribe_from_events(const std::string& id);

  // -- to look at
  // --------------------------------------------------------------

  EventMetrics get_event_metrics() const;
  /// The newest first, 1,000 at most.
  std::vector<Event> get_recent_events(std::size_t limit = 50) const;
  /// Nothing if there is none.
  std::optional<Event> get_event(std::string_view id) const;

  // -- life
  // --------------------------------------------------------------------

  struct RunOptions {
    /// Stop at SIGINT and SIGTERM, read keys and certificates again at SIGHUP,
    /// ignore SIGPIPE; all of which are given back to whoever had them
    /// before when `run` returns. `run` must then be called before other
    /// threads are started.
    bool handle_signals = false;
    /// Called once it serves.
    std::function<void()> on_start{};
  };

  /// Opens the store, starts everything, listens. When it throws, nothing runs.
  void start();
  /// Finishes what is in flight, writes what is done, ends all threads. True
  /// if all that was done in time. Does nothing where nothing runs; `start`
  /// may follow.
  bool stop() noexcept;
  /// Starts (unless that was done) and blocks until `request_stop`, then
  /// stops. Throws `internal` if the app could not go on by itself.
  void run(RunOptions options);
  void run() { run(RunOptions{}); }
  /// Lets `run` and `wait` return. From any thread, also from a handler.
  void request_stop() noexcept;
  /// Blocks until `request_stop` or the time is up: for a main loop of your
  /// own. True for the former.
  bool wait(std::chrono::milliseconds at_most);
  /// Stops and forgets all handlers and subscriptions.
  void cleanup() noexcept;

  bool running() const noexcept;
  /// Why the app can't go on by itself (a part of it failed again and again);
  /// empty as long as it can. It answers with errors then, and should be
  /// stopped.
  std::string failure() const;
  const std::string& name() const noexcept;
  /// "127.0.0.1:8080": where it listens, also for port 0. Empty while it
  /// doesn't.
  std::string address() const;

 private:
  friend class Platform;
  friend class EventEngine;
  friend class Streaming;
  struct Impl;

  std::unique_ptr<Impl> impl_;
};

} // namespace eventweft
