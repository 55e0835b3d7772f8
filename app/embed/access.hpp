// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"
#include "messages/errors.hpp"
#include "messages/event.hpp"
#include "messages/filter.hpp"
#include "telemetry/log.hpp"

#include <eventweft/config.hpp>
#include <eventweft/errors.hpp>
#include <eventweft/event.hpp>
#include <eventweft/filter.hpp>

#include <exception>
#include <utility>

namespace eventweft::embed {

/// Between what the library shows and what is behind it.
struct access {
  static Event wrap(event_ptr ev);

  /// Throws `Error` for a filter that can't be used.
  static filter internal(const Filter& f);
  static Filter external(const filter& f);
  static start_point internal(const Since& s) noexcept;

  /// What the app runs with. Throws `Error`.
  static config::settings resolve(const Config& c);
  static logger_ptr make_log(const Config& c, const config::settings& s,
                             const std::string& name);
  static bool serves_http(const Config& c) noexcept { return c.http_; }
};

Error to_error(const error& e);

[[noreturn]] inline void raise(const error& e) {
  throw to_error(e);
}

/// The value, or its error thrown.
template <class T>
T unwrap(expected<T> x) {
  if (!x)
    raise(x.error());
  if constexpr (!std::is_void_v<T>)
    return std::move(*x);
}

} // namespace eventweft::embed
