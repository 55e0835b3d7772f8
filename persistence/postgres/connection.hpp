// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "persistence/postgres/watchdog.hpp"
#include "persistence/store.hpp"

#include <pqxx/pqxx>

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace eventweft::postgres {

/// What the exception in flight means to our callers. Call it in a `catch`.
error translate_exception() noexcept;

/// A connection that comes and goes: made on the first call, thrown away when
/// it breaks, made again on the next. One thread at a time.
class connection {
 public:
  /// How often connections of a store were made, or tried to be.
  using count = std::shared_ptr<std::atomic<uint64_t>>;

  connection(store_options options, watchdog_ptr dog,
             count made = std::make_shared<std::atomic<uint64_t>>(0));

  /// Whether a call may be made a second time, on a new connection, when the
  /// old one turns out to be dead. Not for what must happen once only.
  enum class retry : bool { no, yes };

  /// Runs `work(pqxx::connection&)`, which returns an `expected<…>`. What
  /// libpqxx throws becomes an error.
  template <class Work>
  auto call(retry again, Work&& work)
      -> decltype(work(std::declval<pqxx::connection&>())) {
    for (;;) {
      bool fresh = !live_;
      if (auto open = ensure_open(); !open)
        return fail(std::move(open.error()));
      error failed;
      try {
        auto guard = watch();
        return work(*live_);
      } catch (...) {
        failed = translate_exception();
      }
      if (live_->is_open() && failed.code != ec::internal)
        return fail(std::move(failed));
      bool lost = !live_->is_open();
      close();
      if (lost && !fresh && again == retry::yes)
        continue;
      if (lost)
        failed.code = ec::store_unavailable;
      return fail(std::move(failed));
    }
  }

  /// Prepares `sql` as `name`, once for each connection. Throws what libpqxx
  /// throws; call it inside `call`.
  void prepare(const std::string& name, const std::string& sql);

  /// Of all connections that share the count. As long as it stays, the server
  /// at the other end is the one that it was, without a restart in between.
  uint64_t made() const noexcept { return *made_; }

  bool is_open() const noexcept { return live_ && live_->is_open(); }

  /// For work that may take as long as it takes, such as a migration.
  void lift_deadline() noexcept { bounded_ = false; }

 private:
  expected<void> ensure_open();
  watchdog::guard watch();
  void close() noexcept;

  store_options options_;
  watchdog_ptr dog_;
  count made_;
  bool bounded_ = true;
  std::unique_ptr<pqxx::connection> live_;
  std::set<std::string> prepared_;
};

} // namespace eventweft::postgres
