// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <eventweft/event.hpp>
#include <eventweft/filter.hpp>
#include <eventweft/reply.hpp>
#include <eventweft/task.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

namespace eventweft {

/// What a handler may want to know besides the event.
struct Attempt {
  std::string processor{};
  /// The same for every attempt at this event by this processor, also after a
  /// crash: with it, work that was done already can be told from new work.
  std::string idempotency_key{};
  /// 1 is the first.
  uint32_t number = 1;
  uint32_t max_attempts = 1;
  std::chrono::milliseconds timeout{0};
  /// Asks to end: time is up, the processor was removed, the app stops.
  std::stop_token stop{};
};

/// Thrown by a handler: trying again is of no use, the event becomes a dead
/// letter at once. Any other exception is a failed attempt.
class EVENTWEFT_EXPORT GiveUp : public std::runtime_error {
 public:
  explicit GiveUp(const std::string& why);
  GiveUp(const GiveUp&) noexcept = default;
  ~GiveUp() override;
};

/// Thrown by a handler: failed, and not to be tried again before so long, which
/// is a day at most.
class EVENTWEFT_EXPORT RetryAfter : public std::runtime_error {
 public:
  RetryAfter(std::chrono::milliseconds pause, const std::string& why);
  RetryAfter(const RetryAfter&) noexcept = default;
  ~RetryAfter() override;

  std::chrono::milliseconds pause() const noexcept { return pause_; }

 private:
  std::chrono::milliseconds pause_;
};

/// Ends the attempt of an asynchronous handler. Copies end the same attempt;
/// the first call counts. Callable on any thread, at any time.
class Completion {
 public:
  using Function =
      std::function<void(std::exception_ptr, std::optional<Reply>)>;

  explicit Completion(Function f)
      : function_(std::make_shared<Function>(std::move(f))) {}

  void done() const { (*function_)(nullptr, std::nullopt); }
  void done(Reply reply) const { (*function_)(nullptr, std::move(reply)); }
  void fail(const std::string& why) const {
    (*function_)(std::make_exception_ptr(std::runtime_error{why}),
                 std::nullopt);
  }
  void fail(std::exception_ptr why) const {
    (*function_)(std::move(why), std::nullopt);
  }

 private:
  std::shared_ptr<Function> function_;
};

namespace detail {

template <class F>
inline constexpr bool may_be_empty = std::is_pointer_v<F>;
template <class R, class... Ts>
inline constexpr bool may_be_empty<std::function<R(Ts...)>> = true;

} // namespace detail

/// What is done with an event. Made of any callable that takes
/// `(const Event&)` or `(const Event&, const Attempt&)` and returns
///
/// - nothing;
/// - `Reply` or `std::optional<Reply>`: it *answers*, and the webhook's HTTP
///   answer waits for it, up to the platform's deadline;
/// - `Task` or `ReplyTask`: a coroutine, which holds no worker while it waits;
///
/// or of one that takes `(const Event&, const Attempt&, Completion)`, starts
/// something and returns at once; it answers, with what `Completion::done` is
/// given, if `ProcessorOptions::answers` says so. All others run on a worker
/// thread and may block. It must be callable from several threads at the same
/// time, unless its `ProcessorOptions::concurrency` is 1.
class Handler {
 public:
  using Blocking =
      std::function<std::optional<Reply>(const Event&, const Attempt&)>;
  using Async = std::function<void(const Event&, const Attempt&, Completion)>;

  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, Handler> &&
           (std::invocable<F&, const Event&> ||
            std::invocable<F&, const Event&, const Attempt&> ||
            std::invocable<F&, const Event&, const Attempt&, Completion>))
      Handler(F&& f) { // NOLINT(google-explicit-constructor)
    take(std::make_shared<std::decay_t<F>>(std::forward<F>(f)));
  }

  /// One of the two is set; neither where it was made of an empty
  /// `std::function`, which `register_processor` refuses.
  const Blocking& blocking() const noexcept { return blocking_; }
  const Async& async() const noexcept { return async_; }
  /// Whether its type says that its reply is meant for the sender.
  bool answers() const noexcept { return answers_; }

 private:
  template <class F>
  void take(std::shared_ptr<F> f) {
    if constexpr (detail::may_be_empty<F>)
      if (!*f)
        return;
    if constexpr (std::invocable<F&, const Event&, const Attempt&,
                                 Completion>) {
      async_ = [f](const Event& e, const Attempt& a, Completion c) {
        (*f)(e, a, std::move(c));
      };
    } else {
      using R = decltype(call(*f, std::declval<const Event&>(),
                              std::declval<const Attempt&>()));
      if constexpr (std::same_as<R, Task> || std::same_as<R, ReplyTask>)
        take_task<R>(std::move(f));
      else
        take_blocking<R>(std::move(f));
    }
  }

  template <class R, class F>
  void take_blocking(std::shared_ptr<F> f) {
    static_assert(std::is_void_v<R> || std::same_as<R, Reply> ||
                      std::same_as<R, std::optional<Reply>>,
                  "a handler returns void, Reply, std::optional<Reply>, Task "
                  "or ReplyTask");
    answers_ = !std::is_void_v<R>;
    blocking_ = [f](const Event& e, const Attempt& a) -> std::optional<Reply> {
      if constexpr (std::is_void_v<R>) {
        call(*f, e, a);
        return std::nullopt;
      } else {
        return call(*f, e, a);
      }
    };
  }

  template <class R, class F>
  void take_task(std::shared_ptr<F> f) {
    answers_ = std::same_as<R, ReplyTask>;
    async_ = [f](const Event& event, const Attempt& attempt, Completion c) {
      struct Kept {
        std::shared_ptr<F> f;
        Event event;
        Attempt attempt;
      };
      auto kept = std::make_shared<Kept>(Kept{f, event, attempt});
      auto task = call(*kept->f, kept->event, kept->attempt);
      if constexpr (std::same_as<R, ReplyTask>)
        std::move(task).start(
            kept, [c = std::move(c)](std::exception_ptr why, Reply reply) {
              why ? c.fail(std::move(why)) : c.done(std::move(reply));
            });
      else
        std::move(task).start(kept, [c = std::move(c)](std::exception_ptr why) {
          why ? c.fail(std::move(why)) : c.done();
        });
    };
  }

  template <class F>
  static decltype(auto) call(F& f, const Event& e, const Attempt& a) {
    if constexpr (std::invocable<F&, const Event&, const Attempt&>)
      return f(e, a);
    else
      return f(e);
  }

  Blocking blocking_;
  Async async_;
  bool answers_ = false;
};

/// Which events of one processor must not overtake each other.
enum class Ordering : uint8_t {
  none,
  /// Those of one source: a repository, a channel.
  source,
  /// Those of one thread (`Event::correlation_id`).
  thread,
};

/// How a handler is run.
struct ProcessorOptions {
  /// What it has done is remembered under this name: 1 … 100 of A-Z, a-z, 0-9,
  /// `_`, `.`, `-`. Empty: made of platform and event type, such as
  /// "github.pull_request.opened", with ".2" for the second one of these.
  std::string name{};
  /// The lane of all its work; nothing: each event's own priority.
  std::optional<Priority> priority{};
  /// After the first attempt.
  uint32_t max_retries = 3;
  /// Before the first retry; doubles with each further one, up to
  /// `max_retry_delay`, and is longer or shorter by chance by up to a tenth.
  std::chrono::milliseconds retry_delay{1'000};
  std::chrono::milliseconds max_retry_delay{300'000};
  /// For one attempt.
  std::chrono::milliseconds timeout{30'000};
  /// Attempts at once; 0: as many as there are workers, or 1,000 of a handler
  /// that holds none (a coroutine, or one with a `Completion`).
  uint32_t concurrency = 0;
  Ordering ordering = Ordering::none;
  /// Whether the webhook's HTTP answer waits for it; nothing: as the handler's
  /// type says (`Reply`, `std::optional<Reply>` and `ReplyTask` answer).
  std::optional<bool> answers{};
  /// Where a processor starts that the store does not know yet.
  Since since{};
};

/// A processor with a filter of its own, for
/// `EventEngine::register_processor`.
struct ProcessorSpec {
  std::string name{};
  Filter filter{};
  Handler handler;
  ProcessorOptions options{};
};

} // namespace eventweft
