// SPDX-License-Identifier: Apache-2.0
#include "auth/tickets.hpp"

#include "crypto/digest.hpp"

#include <algorithm>

namespace eventweft::auth {

namespace {

constexpr std::string_view ticket_prefix = "ewt_";
constexpr size_t ticket_words = 4;
constexpr size_t max_ticket = 128;

std::string new_ticket(random_source& random) {
  std::string bytes;
  for (size_t n = 0; n < ticket_words; ++n)
    for (uint64_t word = random.next(), i = 0; i < 8; ++i)
      bytes.push_back(static_cast<char>((word >> (8 * i)) & 0xff));
  return std::string{ticket_prefix} + crypto::to_hex(bytes);
}

std::string owner_of(const principal& who) {
  return std::to_string(static_cast<int>(who.how)) + ":" + who.id;
}

} // namespace

ticket_office::ticket_office(ticket_options options, const clock& time,
                             random_source& random)
    : options_(options), time_(time), random_(random) {}

void ticket_office::remove(table::iterator it) {
  by_end_.erase({it->second.until, it->first});
  if (const auto held = held_.find(it->second.owner); --held->second == 0)
    held_.erase(held);
  tickets_.erase(it);
}

void ticket_office::drop_expired(timestamp now) {
  while (!by_end_.empty() && by_end_.begin()->first <= now)
    remove(tickets_.find(by_end_.begin()->second));
}

expected<std::string> ticket_office::issue(const principal& who,
                                           std::string_view stream) {
  const auto now = time_.now();
  if (who.how == principal::kind::ticket)
    return fail(ec::forbidden, "a ticket can't be used to get another");
  if (auto d = decide(who, permission::stream, stream, now); !d.allowed)
    return fail(d.code, std::move(d.reason));
  auto owner = owner_of(who);
  const std::lock_guard lock{mutex_};
  drop_expired(now);
  if (const auto it = held_.find(owner);
      it != held_.end() && it->second >= options_.per_principal)
    return fail(ec::too_many_requests, "too many tickets are outstanding");
  if (tickets_.size() >= options_.capacity)
    return fail(ec::overloaded, "too many tickets are outstanding");

  auto ticket = new_ticket(random_);
  auto hash = crypto::digest(crypto::hash::sha256, ticket);
  principal bearer{principal::kind::ticket,
                   who.id,
                   {{permission::stream, std::string{stream}}},
                   who.forced,
                   who.expires,
                   who.key,
                   who.signer};
  const auto until = now + options_.lifetime;
  by_end_.emplace(until, hash);
  ++held_[owner];
  tickets_.emplace(
      std::move(hash),
      entry{std::move(bearer), std::string{stream}, std::move(owner), until});
  return ticket;
}

expected<principal> ticket_office::redeem(std::string_view ticket,
                                          std::string_view stream) {
  const auto refuse = [] {
    return fail(ec::unauthorized, "the ticket is not valid");
  };
  if (ticket.size() > max_ticket)
    return refuse();
  const auto now = time_.now();
  // Looked up by hash: how long that takes says nothing about a ticket.
  const auto hash = crypto::digest(crypto::hash::sha256, ticket);
  const std::lock_guard lock{mutex_};
  drop_expired(now);
  const auto it = tickets_.find(hash);
  if (it == tickets_.end())
    return refuse();
  auto found = std::move(it->second.who);
  const bool right_stream = it->second.stream == stream;
  remove(it);
  if (!right_stream || found.expired(now))
    return refuse();
  return found;
}

size_t ticket_office::outstanding() const {
  const std::lock_guard lock{mutex_};
  return tickets_.size();
}

} // namespace eventweft::auth
