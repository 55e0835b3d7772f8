// SPDX-License-Identifier: Apache-2.0
#include "auth/tickets.hpp"

#include "crypto/digest.hpp"

#include <algorithm>

namespace eventweft::auth {

namespace {

constexpr std::string_view ticket_prefix = "ewt_";
constexpr size_t ticket_words = 4;
constexpr size_t max_ticket = 128;

std::string random_text(random_source& random) {
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

expected<new_ticket> write_ticket(const principal& who, std::string_view stream,
                                  timestamp now, random_source& random) {
  if (who.how == principal::kind::ticket)
    return fail(ec::forbidden, "a ticket can't be used to get another");
  if (auto d = decide(who, permission::stream, stream, now); !d.allowed)
    return fail(d.code, std::move(d.reason));
  auto text = random_text(random);
  return new_ticket{{ticket_hash(text), std::string{stream}, owner_of(who),
                     ticket_bearer(who, stream)},
                    std::move(text)};
}

std::string ticket_hash(std::string_view ticket) {
  if (ticket.size() > max_ticket)
    return {};
  return crypto::to_hex(crypto::digest(crypto::hash::sha256, ticket));
}

principal ticket_bearer(principal who, std::string_view stream) {
  who.how = principal::kind::ticket;
  who.scopes = {{permission::stream, std::string{stream}}};
  return who;
}

error ticket_refused() {
  return {ec::unauthorized, "the ticket is not valid"};
}

expected<principal> bearer_for(kept_ticket taken, std::string_view stream,
                               timestamp now) {
  if (taken.stream != stream || taken.bearer.expired(now))
    return fail(ticket_refused());
  return std::move(taken.bearer);
}

ticket_office::ticket_office(ticket_options options, const clock& time,
                             random_source& random)
    : options_(options), time_(time), random_(random) {}

void ticket_office::remove(table::iterator it) {
  by_end_.erase({it->second.until, it->first});
  if (const auto held = held_.find(it->second.kept.owner); --held->second == 0)
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
  auto made = write_ticket(who, stream, now, random_);
  if (!made)
    return fail(std::move(made.error()));
  auto& kept = made->record;
  const std::lock_guard lock{mutex_};
  drop_expired(now);
  if (const auto it = held_.find(kept.owner);
      it != held_.end() && it->second >= options_.per_principal)
    return fail(ec::too_many_requests, "too many tickets are outstanding");
  if (tickets_.size() >= options_.capacity)
    return fail(ec::overloaded, "too many tickets are outstanding");
  const auto until = now + options_.lifetime;
  by_end_.emplace(until, kept.hash);
  ++held_[kept.owner];
  auto hash = kept.hash;
  tickets_.emplace(std::move(hash), entry{std::move(kept), until});
  return std::move(made->text);
}

expected<principal> ticket_office::redeem(std::string_view ticket,
                                          std::string_view stream) {
  const auto now = time_.now();
  // Looked up by hash: how long that takes says nothing about a ticket.
  const auto hash = ticket_hash(ticket);
  const std::lock_guard lock{mutex_};
  drop_expired(now);
  const auto it = tickets_.find(hash);
  if (it == tickets_.end())
    return fail(ticket_refused());
  auto found = it->second.kept;
  remove(it);
  return bearer_for(std::move(found), stream, now);
}

size_t ticket_office::outstanding() const {
  const std::lock_guard lock{mutex_};
  return tickets_.size();
}

} // namespace eventweft::auth
