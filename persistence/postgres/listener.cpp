// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/nodes.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace eventweft::postgres {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr milliseconds connect_limit{3'000};
/// Silence after which the server is asked whether it is there, and how long
/// it may take to answer.
constexpr milliseconds probe_after{2'000};
constexpr milliseconds probe_limit{2'000};

struct result_deleter {
  void operator()(PGresult* r) const noexcept { PQclear(r); }
};
using result = std::unique_ptr<PGresult, result_deleter>;

struct notify_deleter {
  void operator()(PGnotify* n) const noexcept { PQfreemem(n); }
};
using notify = std::unique_ptr<PGnotify, notify_deleter>;

/// "SEQ NODE", as append_events() says it.
store_bell read_commit(std::string_view text) {
  store_bell out;
  out.what = store_bell::kind::committed;
  const auto [end, bad] =
      std::from_chars(text.data(), text.data() + text.size(), out.seq);
  if (bad == std::errc{} && end != text.data() + text.size())
    out.from.assign(end + 1, text.data() + text.size());
  return out;
}

} // namespace

error listener::lost() {
  const auto why = live_ ? sentence(PQerrorMessage(live_.get())) : "";
  live_.reset();
  return {ec::store_unavailable, why.empty() ? "the connection is lost" : why};
}

expected<bool> listener::readable(clock::time_point until) {
  for (;;) {
    const auto left = duration_cast<milliseconds>(until - clock::now());
    pollfd waiting{PQsocket(live_.get()), POLLIN, 0};
    int n = 0;
    bool again = false;
    {
      const watchdog::guard watched{*dog_, waiting.fd, watchdog::never};
      n = ::poll(&waiting, 1,
                 static_cast<int>(std::max<int64_t>(0, left.count())));
      again = n < 0 && errno == EINTR;
    }
    if (n == 0)
      return false;
    if (again)
      continue;
    if (n < 0 || PQconsumeInput(live_.get()) == 0)
      return fail(lost());
    return true;
  }
}

expected<void> listener::connect() {
  auto to = parse_address(options_.url);
  if (!to)
    return fail(std::move(to.error()));
  to->insert({"application_name", "eventweft_bell"});
  auto made = postgres::connect(*to, connect_limit, *dog_);
  if (!made)
    return fail(std::move(made.error()));
  live_ = std::move(*made);
  if (PQsendQuery(live_.get(), "LISTEN eventweft_log; "
                               "LISTEN eventweft_bell") == 0)
    return fail(lost());
  heard_ = clock::now();
  return {};
}

/// Reads answers of ours, if there are any: none has anything to say.
expected<void> listener::probe() {
  if (PQsendQuery(live_.get(), "SELECT 1") == 0)
    return fail(lost());
  const auto until = clock::now() + probe_limit;
  while (PQisBusy(live_.get()) != 0) {
    auto more = readable(until);
    if (!more)
      return fail(more.error());
    if (!*more) {
      live_.reset();
      return fail(ec::store_unavailable, "the database does not answer");
    }
  }
  while (result r{PQgetResult(live_.get())})
    if (PQresultStatus(r.get()) == PGRES_FATAL_ERROR)
      return fail(lost());
  heard_ = clock::now();
  return {};
}

std::vector<store_bell> listener::take() {
  std::vector<store_bell> out;
  while (notify n{PQnotifies(live_.get())}) {
    const std::string_view text{n->extra};
    if (std::string_view{n->relname} == "eventweft_log")
      out.push_back(read_commit(text));
    else
      out.push_back({store_bell::kind::rung, {}, 0, std::string{text}});
  }
  if (!out.empty())
    heard_ = clock::now();
  return out;
}

expected<std::vector<store_bell>> listener::wait(milliseconds at_most) {
  const auto until = clock::now() + at_most;
  std::vector<store_bell> out;
  if (!live_) {
    if (auto open = connect(); !open)
      return fail(open.error());
    // Until the LISTEN is answered nothing is heard; what was missed before
    // it is up to the caller.
    const auto limit = clock::now() + connect_limit;
    while (PQisBusy(live_.get()) != 0) {
      auto more = readable(limit);
      if (!more)
        return fail(more.error());
      if (!*more) {
        live_.reset();
        return fail(ec::store_unavailable, "the database does not answer");
      }
    }
    while (result r{PQgetResult(live_.get())})
      if (PQresultStatus(r.get()) == PGRES_FATAL_ERROR)
        return fail(lost());
    out.push_back({});
  }
  for (;;) {
    auto rung = take();
    out.insert(out.end(), std::make_move_iterator(rung.begin()),
               std::make_move_iterator(rung.end()));
    if (!out.empty() || clock::now() >= until)
      return out;
    if (clock::now() - heard_ >= probe_after) {
      if (auto there = probe(); !there)
        return fail(there.error());
      continue;
    }
    auto more = readable(std::min(until, heard_ + probe_after));
    if (!more)
      return fail(more.error());
  }
}

} // namespace eventweft::postgres
