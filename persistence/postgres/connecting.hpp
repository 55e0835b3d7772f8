// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/errors.hpp"
#include "persistence/postgres/address.hpp"
#include "persistence/postgres/watchdog.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

struct pg_conn;

namespace eventweft::postgres {

struct raw_connection_deleter {
  void operator()(pg_conn* c) const noexcept;
};
using raw_connection = std::unique_ptr<pg_conn, raw_connection_deleter>;

/// Connects, within the reach of `dog` all the time, which libpq's own call is
/// not. Each server that the address names has `patience`, or what its
/// `connect_timeout` says; then the next one is tried. `store_unavailable` with
/// libpq's words.
expected<raw_connection> connect(const address_parts& to,
                                 std::chrono::milliseconds patience,
                                 watchdog& dog);

/// Why there is no connection once the watchdog has given up.
error given_up();

/// One line of what libpq or the server says, without the "ERROR:  " before it.
std::string sentence(std::string_view text);

} // namespace eventweft::postgres
