// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/connection.hpp"

#include "persistence/postgres/address.hpp"
#include "persistence/postgres/connecting.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace eventweft::postgres {
namespace {

constexpr std::string_view lock_not_available = "55P03";

// Whoever stops in the middle of a transaction (a machine that froze, a network
// that was cut) holds everybody else up for no longer than this. Between two
// statements of ours there is nothing to wait for.
constexpr std::chrono::milliseconds longest_idle_transaction{1'000};

ec code_of(std::string_view sqlstate) {
  auto is = [&](auto... codes) { return ((sqlstate == codes) || ...); };
  if (is("53100"))
    return ec::store_full;
  if (is("XX001", "XX002"))
    return ec::corrupt;
  // The server is away, stopping, a standby, out of something, or took
  // longer than we wait: none of that is a row's fault.
  for (std::string_view away : {"08", "53", "57", "58", "40"})
    if (sqlstate.starts_with(away))
      return ec::store_unavailable;
  if (is(lock_not_available, "25006"))
    return ec::store_unavailable;
  // The last three: what a trigger of somebody's own raises.
  for (std::string_view row : {"22", "23", "54", "38", "39", "P0"})
    if (sqlstate.starts_with(row))
      return ec::row_refused;
  // A missing table, column or function, or a missing right to use it.
  if (is("42P01", "42703", "42883", "3F000", "42501"))
    return ec::schema_mismatch;
  return ec::internal;
}

std::string_view state_of(const pqxx::sql_error& e) noexcept {
  // libpqxx names this one by its type only.
  if (dynamic_cast<const pqxx::insufficient_privilege*>(&e))
    return "42501";
  return e.sqlstate();
}

// What libpqxx and the server add to a row's fault is the row, the table and
// statements of ours: nothing that its sender should see, or that helps anybody
// else.
std::string fault_of_row(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  constexpr std::string_view severity = "ERROR:";
  if (const auto at = text.find(severity); at != text.npos)
    text.remove_prefix(at + severity.size());
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  std::string out{text};
  constexpr std::string_view table = " for relation \"";
  if (const auto at = out.find(table); at != out.npos)
    out.erase(at, out.find('"', at + table.size()) + 1 - at);
  return out;
}

} // namespace

error translate_exception() noexcept {
  try {
    throw;
  } catch (const pqxx::broken_connection& e) {
    return {ec::store_unavailable, sentence(e.what())};
  } catch (const pqxx::in_doubt_error& e) {
    return {ec::store_unavailable, sentence(e.what())};
  } catch (const pqxx::sql_error& e) {
    // The server's own sentence names nobody who could be asked to let go.
    const auto state = state_of(e);
    if (state == lock_not_available)
      return {ec::store_unavailable,
              "somebody else holds a lock that is needed, such as a query that "
              "has run for long (pg_stat_activity has it); try again later"};
    // Without a state it comes from libpq: the connection.
    auto code = state.empty() ? ec::store_unavailable : code_of(state);
    const std::string_view text{e.what()};
    if (code == ec::row_refused || code == ec::internal)
      return {code, sentence(fault_of_row(text))};
    return {code, sentence(text.substr(0, text.find("\nCONTEXT:")))};
  } catch (const std::exception& e) {
    return {ec::internal, sentence(e.what())};
  } catch (...) {
    return {ec::internal, "an exception of an unknown type"};
  }
}

connection::connection(store_options options, watchdog_ptr dog, count made)
    : options_(std::move(options)),
      dog_(std::move(dog)),
      made_(std::move(made)) {}

watchdog::guard connection::watch() {
  // The server's own time-out comes first; this one is for a server that
  // does not even keep that.
  constexpr std::chrono::seconds grace{2};
  auto deadline = watchdog::never;
  if (bounded_ && options_.statement_timeout.count() > 0)
    deadline =
        std::chrono::steady_clock::now() + options_.statement_timeout + grace;
  return {*dog_, live_->sock(), deadline};
}

expected<void> connection::ensure_open() {
  if (dog_->given_up())
    return fail(given_up());
  if (live_ && live_->is_open())
    return {};
  close();
  auto to = parse_address(options_.url);
  if (!to)
    return fail(std::move(to.error()));
  // Defaults: what the address says itself wins.
  to->insert({
      {"application_name", "eventweft"},
      {"keepalives", "1"},
      {"keepalives_idle", "10"},
      {"keepalives_interval", "5"},
      {"keepalives_count", "3"},
      // A server that vanished without a word must not hold us for minutes.
      {"tcp_user_timeout", "15000"},
  });
  to->insert_or_assign("client_encoding", "UTF8");
  ++*made_;
  auto raw = connect(*to, options_.connect_timeout, *dog_);
  if (!raw)
    return fail(std::move(raw.error()));
  try {
    live_ = std::make_unique<pqxx::connection>(
        pqxx::connection::seize_raw_connection(raw->get()));
    static_cast<void>(raw->release());
    auto guard = watch();
    pqxx::nontransaction setup{*live_};
    setup.exec("SET statement_timeout = " +
               std::to_string(options_.statement_timeout.count()) +
               "; SET lock_timeout = " +
               std::to_string(options_.lock_timeout.count()) +
               "; SET idle_in_transaction_session_timeout = " +
               std::to_string(longest_idle_transaction.count()) +
               // The server's side of the keepalives above.
               "; SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5"
               "; SET tcp_keepalives_count = 3; SET tcp_user_timeout = 15000"
               "; SET TimeZone = 'UTC'; SET DateStyle = 'ISO'"
               "; SET client_min_messages = warning; SET jit = off"
               // A database may have another default, which reads the texts of
               // the schema differently.
               "; SET standard_conforming_strings = on"
               "; SET enable_seqscan = off"
               "; SELECT set_config('synchronous_commit', 'on', false)"
               " WHERE current_setting('synchronous_commit') = 'off'");
    if (!options_.node.empty())
      setup.exec("SELECT set_config('eventweft.node', $1, false)",
                 pqxx::params{options_.node});
  } catch (...) {
    auto failed = translate_exception();
    close();
    // Whatever is wrong with it (no such database, a password, a server that
    // is still starting): the store does not answer.
    failed.code = ec::store_unavailable;
    return fail(std::move(failed));
  }
  return {};
}

void connection::prepare(const std::string& name, const std::string& sql) {
  if (prepared_.contains(name))
    return;
  live_->prepare(name, sql);
  prepared_.insert(name);
}

void connection::close() noexcept {
  live_.reset();
  prepared_.clear();
}

} // namespace eventweft::postgres
