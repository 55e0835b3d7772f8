// SPDX-License-Identifier: Apache-2.0
#include "app/processing_bridge.hpp"

#include "app/question.hpp"

#include <utility>

namespace eventweft {

namespace {

auto engine_of(const actor_context& ctx) {
  return [peers = ctx.peers] { return peers->engine.get(); };
}

auto keeper_of(const actor_context& ctx) {
  return [peers = ctx.peers] { return peers->dead_letters.get(); };
}

auto reader_of(const actor_context& ctx) {
  return [peers = ctx.peers] { return peers->reader.get(); };
}

} // namespace

void processing_bridge::processors(
    reply<std::vector<processing::processor_state>> r) {
  put_question(*ctx_.peers, timeout_, std::move(r), engine_of(ctx_),
               list_atom_v);
}

void processing_bridge::drop_processor(std::string name, reply<uint64_t> r) {
  put_question(*ctx_.peers, timeout_, std::move(r), engine_of(ctx_),
               drop_atom_v, std::move(name));
}

void processing_bridge::dead_letters(dead_letter_query q,
                                     reply<std::vector<dead_letter>> r) {
  put_question(*ctx_.peers, timeout_, std::move(r), reader_of(ctx_),
               list_atom_v, std::move(q));
}

void processing_bridge::retry_dead_letter(uuid id, reply<bool> r) {
  put_question(*ctx_.peers, timeout_, std::move(r), keeper_of(ctx_),
               retry_atom_v, id);
}

void processing_bridge::drop_dead_letter(uuid id, reply<bool> r) {
  put_question(*ctx_.peers, timeout_, std::move(r), reader_of(ctx_),
               drop_atom_v, id);
}

void processing_bridge::retry_dead_letters(dead_letter_query q, double rate,
                                           reply<dead_letter_retry> r) {
  put_question(*ctx_.peers, timeout_, std::move(r), keeper_of(ctx_),
               retry_atom_v, std::move(q), rate);
}

void processing_bridge::retry_progress(reply<dead_letter_retry> r) {
  put_question(*ctx_.peers, timeout_, std::move(r), keeper_of(ctx_),
               head_atom_v);
}

void processing_bridge::stop_retry(reply<dead_letter_retry> r) {
  put_question(*ctx_.peers, timeout_, std::move(r), keeper_of(ctx_),
               stop_atom_v);
}

void processing_bridge::drop_dead_letters(dead_letter_query q,
                                          reply<uint64_t> r) {
  put_question(*ctx_.peers, timeout_, std::move(r), keeper_of(ctx_),
               drop_atom_v, std::move(q));
}

} // namespace eventweft
