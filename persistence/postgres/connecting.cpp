// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/connecting.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <tuple>
#include <vector>

namespace eventweft::postgres {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::string text_or_empty(const char* text) {
  return text ? text : "";
}

/// Which of the address's servers is being tried.
auto server_of(const pg_conn* c) {
  return std::tuple{text_or_empty(PQhost(c)), text_or_empty(PQport(c)),
                    text_or_empty(PQhostaddr(c))};
}

/// How long one server may take; `never` as long as it likes.
milliseconds limit_of(const address_parts& to, milliseconds patience) {
  const auto given = to.find("connect_timeout");
  if (given == to.end() || given->second.empty())
    return std::max(patience, milliseconds{1});
  int seconds = 0;
  const auto& text = given->second;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return seconds > 0 ? std::chrono::seconds{seconds} : milliseconds::max();
}

steady_clock::time_point end_of(milliseconds limit) {
  return limit == milliseconds::max() ? watchdog::never
                                      : steady_clock::now() + limit;
}

std::vector<std::string> parts_of(const address_parts& of,
                                  const char* keyword) {
  std::vector<std::string> parts;
  if (const auto list = of.find(keyword); list != of.end())
    for (size_t begin = 0; begin <= list->second.size();) {
      const auto end =
          std::min(list->second.find(',', begin), list->second.size());
      parts.push_back(list->second.substr(begin, end - begin));
      begin = end + 1;
    }
  return parts;
}

/// Takes the servers off the lists up to the one that did not answer; false if
/// it is the last one, or the only one.
bool drop_upto(address_parts& from, const std::string& host,
               const std::string& port) {
  const bool by_name = from.contains("host");
  const auto hosts = parts_of(from, by_name ? "host" : "hostaddr");
  const auto ports = parts_of(from, "port");
  const auto port_of = [&ports](size_t i) {
    return ports.size() > 1 ? ports[std::min(i, ports.size() - 1)] : "";
  };
  size_t gone = 0;
  while (gone < hosts.size() &&
         (hosts[gone] != host ||
          (!port_of(gone).empty() && port_of(gone) != port)))
    ++gone;
  if (++gone >= hosts.size())
    return false;
  for (const auto* keyword : {"host", "hostaddr", "port"}) {
    const auto all = parts_of(from, keyword);
    // One port is for all of them.
    if (all.size() <= 1)
      continue;
    std::string left;
    for (size_t i = gone; i < all.size(); ++i)
      left.append(i == gone ? "" : ",").append(all[i]);
    from[keyword] = left;
  }
  return true;
}

struct attempt {
  raw_connection made;
  error why;
  /// Nothing was heard of the server in time.
  bool late = false;
  std::string host;
  std::string port;
};

/// One call of libpq's, which goes from server to server by itself where one
/// can't be reached at all.
attempt connect_once(const address_parts& to, milliseconds limit,
                     watchdog& dog) {
  attempt out;
  if (dog.given_up()) {
    out.why = given_up();
    return out;
  }
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : to) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  raw_connection c{PQconnectStartParams(keywords.data(), values.data(), 0)};
  if (!c) {
    out.why = {ec::store_unavailable, "out of memory"};
    return out;
  }
  // It would write to standard error what its calls say as well.
  PQsetNoticeProcessor(
      c.get(), [](void*, const char*) {}, nullptr);
  auto server = server_of(c.get());
  auto until = end_of(limit);
  auto next = PQstatus(c.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED
                                                  : PGRES_POLLING_WRITING;
  while (next != PGRES_POLLING_OK && next != PGRES_POLLING_FAILED) {
    pollfd waiting{PQsocket(c.get()), POLLIN, 0};
    if (next == PGRES_POLLING_WRITING)
      waiting.events = POLLOUT;
    {
      // To libpq, too late is a connection that is broken.
      const watchdog::guard watched{dog, waiting.fd, until};
      ::poll(&waiting, 1, -1);
    }
    next = PQconnectPoll(c.get());
    if (auto now_at = server_of(c.get());
        next != PGRES_POLLING_FAILED && now_at != server) {
      server = std::move(now_at);
      until = end_of(limit);
    }
  }
  if (next == PGRES_POLLING_OK) {
    out.made = std::move(c);
    return out;
  }
  out.late = steady_clock::now() >= until;
  std::tie(out.host, out.port, std::ignore) = server;
  if (dog.given_up())
    out.why = given_up();
  else if (out.late)
    out.why = {ec::store_unavailable, "the server at " + out.host + ", port " +
                                          out.port + ", does not answer"};
  else
    out.why = {ec::store_unavailable, sentence(PQerrorMessage(c.get()))};
  return out;
}

} // namespace

void raw_connection_deleter::operator()(pg_conn* c) const noexcept {
  PQfinish(c);
}

error given_up() {
  return {ec::store_unavailable, "the database is not waited for any longer"};
}

std::string sentence(std::string_view text) {
  for (std::string_view prefix : {"ERROR:  ", "FATAL:  ", "PANIC:  "})
    if (text.starts_with(prefix))
      text.remove_prefix(prefix.size());
  std::string out;
  for (char c : text) {
    if (c == '\n' || c == '\t')
      c = ' ';
    if (c != ' ' || (!out.empty() && out.back() != ' '))
      out += c;
  }
  while (!out.empty() && out.back() == ' ')
    out.pop_back();
  return out;
}

expected<raw_connection> connect(const address_parts& to, milliseconds patience,
                                 watchdog& dog) {
  // A server that takes connections and then says nothing is the end of it to
  // libpq, which is not timing it here: the others are tried all the same.
  for (address_parts left = to;;) {
    auto one = connect_once(left, limit_of(to, patience), dog);
    if (one.made)
      return std::move(one.made);
    if (!one.late || !drop_upto(left, one.host, one.port))
      return fail(std::move(one.why));
  }
}

} // namespace eventweft::postgres
