// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bench/cpu_share.hpp"
#include "bench/servers.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::bench {

/// Rows as the engine's own bulk load wants them.
class row_set {
 public:
  virtual ~row_set() = default;
  /// How many events they are of.
  virtual size_t size() const noexcept = 0;
};

struct load_shape {
  /// Events a transaction, with all that belongs to them; 0: the engine's best.
  size_t batch = 0;
  /// Leaves out the tables beside `events`.
  bool events_only = false;
};

/// "a, b", as SQL lists columns.
inline std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// Creates the schema of the store at `url`.
void migrate(const std::string& url);

/// One store engine, and how fast it is without us.
class engine {
 public:
  virtual ~engine() = default;

  virtual std::string_view name() const noexcept = 0;
  /// What `load` is, for the table.
  virtual std::string_view load_name() const noexcept = 0;
  /// What `scan` is.
  virtual std::string_view scan_name() const noexcept = 0;

  /// The URL of an empty store with the schema in place.
  virtual std::string fresh() = 0;
  virtual void drop(const std::string& url) = 0;

  /// CPU seconds that the engine's own processes have used.
  virtual double cpu() const = 0;

  /// Holds the engine's own processes to so much of a core while the result
  /// lives; null where that can't be done.
  virtual std::unique_ptr<cpu_share> hold(double /*cores*/) { return nullptr; }

  /// All rows that events brought, of every table that is empty at first.
  virtual std::unique_ptr<row_set> capture(const std::string& url) = 0;

  /// Seconds to load the rows into the same tables of a fresh store, the bare
  /// way.
  virtual double load(const row_set& rows, load_shape shape) = 0;

  /// Seconds to read all rows of the store the bare way.
  virtual double scan(const std::string& url) = 0;

  /// Grows the log to `count` events: copies of what is there, each with its
  /// own seq, ids and time.
  virtual void grow(const std::string& url, uint64_t count) = 0;

  /// Lets what was written get to the disk, so that it does not disturb what
  /// comes next.
  virtual void settle() = 0;
};

std::unique_ptr<engine> make_postgres(const setting& s);
std::unique_ptr<engine> make_sqlite(const setting& s);

/// Both, or the one that is asked for.
std::vector<std::unique_ptr<engine>> all_engines(const setting& s);

} // namespace eventweft::bench
