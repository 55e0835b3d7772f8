// SPDX-License-Identifier: Apache-2.0
#include "messages/inspect.hpp"
#include "messages/type_ids.hpp"

#include <caf/all.hpp>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace eventweft {

namespace {

uuid some_uuid(uint8_t seed) {
  uuid out;
  for (size_t i = 0; i < out.bytes.size(); ++i)
    out.bytes[i] = static_cast<uint8_t>(seed + i * 7);
  return out;
}

timestamp some_time(int64_t n) {
  return timestamp{std::chrono::microseconds{1'769'860'800'123'456 + n}};
}

// -- a value of each type in which no member has its default -----------------

template <class T>
T sample();

template <>
ec sample() {
  return ec::store_full;
}

template <>
error sample() {
  return {ec::malformed, "payload: at byte 7"};
}

template <>
uuid sample() {
  return some_uuid(3);
}

template <>
timestamp sample() {
  return some_time(1);
}

template <>
priority sample() {
  return priority::critical;
}

template <>
shared_text sample() {
  return shared_text{std::string{"{\"a\":\"\0\xff\"}", 10}};
}

template <>
event sample() {
  event e;
  e.id = some_uuid(1);
  e.seq = 1'042;
  e.event_id = "72d3162e";
  e.platform = "github";
  e.event_type = "pull_request:opened";
  e.source_id = "186853002";
  e.source_name = "octo/repo";
  e.actor_id = "21031067";
  e.actor_name = "codertocat";
  e.priority = priority::high;
  e.correlation_id = some_uuid(9);
  e.parent_event_id = some_uuid(17);
  e.metadata = R"({"k":1})";
  e.created_at = some_time(2);
  e.processed_at = some_time(3);
  e.processing_duration = 0.25;
  e.payload = sample<shared_text>();
  e.payload_readable = shared_text{"{}"};
  e.details = {"{\"a\":1}", "{\"b\":1}", "{\"c\":1}", "{\"d\":1}"};
  e.keys = {{"github:pr:octo/repo#12",
             {correlation_noun::pr, correlation_noun::issue},
             0.5F,
             "linear:team:ENG",
             "mentions",
             "pull_request.title",
             "ENG-1",
             60,
             true}};
  return e;
}

template <>
event_ptr sample() {
  return event_ptr{sample<event>()};
}

template <>
log_range sample() {
  return {3,
          9,
          {sample<event_ptr>(), sample<event_ptr>()},
          {{{some_uuid(1), some_uuid(2), some_uuid(3)}, {some_uuid(4)}},
           {{some_uuid(5), some_uuid(6)}}}};
}

template <>
log_range_ptr sample() {
  return std::make_shared<const log_range>(sample<log_range>());
}

template <>
append_outcome sample() {
  return {some_uuid(2), 77, true, true};
}

template <>
append_result sample() {
  return {sample<append_outcome>(), sample<error>(), some_uuid(3),
          some_uuid(4)};
}

template <>
log_mark sample() {
  return {41, sample<uuid>(), sample<timestamp>()};
}

template <>
append_results sample() {
  return {{sample<append_result>(), append_result{}},
          {.merges = {sample<event_ptr>()},
           .facts = {{"linear:team:ENG", "x"}},
           .hot_keys = {{"a:key", true}},
           .huge_keys = {"b:key"},
           .linked = 3,
           .started = 1,
           .lookups = {5, 4, 3, 12},
           .news = sample<log_range>().news},
          {sample<log_mark>(), log_mark{}}};
}

template <>
event_batch sample() {
  return {{sample<event_ptr>()}, true};
}

template <>
places_request sample() {
  return {41, 99, 12};
}

template <>
places_page sample() {
  return {7, {{42, some_uuid(1), some_uuid(2)}, {43}}, 43};
}

template <>
page_request sample() {
  return {41, 12, 99};
}

template <>
filter sample() {
  filter f;
  f.platforms = {"github"};
  f.event_types = {"push", "pull_request:*"};
  f.source_ids = {"1"};
  f.source_names = {"octo/*"};
  f.actor_ids = {"2"};
  f.correlation_ids = {"c"};
  f.min_priority = priority::low;
  f.custom_filters = {{"payload.ref", "\"main\""}};
  return f;
}

template <>
start_point sample() {
  return {start_point::kind::at_time, 5, some_time(4)};
}

template <>
event_query sample() {
  event_query q;
  q.id = some_uuid(7);
  q.event_ids = {"delivery"};
  q.source_ids = {"1"};
  q.actor_ids = {"2"};
  q.actor_names = {"mona"};
  q.priorities = {priority::high, priority::critical};
  q.parent_event_id = some_uuid(6);
  q.processed = true;
  q.processed_since = some_time(7);
  q.processed_until = some_time(8);
  q.min_duration = 0.25;
  q.max_duration = 1e9;
  q.conditions = {{"payload.ref", "main"}};
  q.platforms = {"github"};
  q.event_types = {"push"};
  q.source_names = {"octo/repo"};
  q.actors = {"codertocat"};
  q.correlation_id = some_uuid(5);
  q.since = some_time(5);
  q.until = some_time(6);
  q.after = 7;
  q.cursor = 8;
  q.limit = 9;
  q.max_bytes = 10;
  q.ascending = true;
  return q;
}

template <>
event_page sample() {
  return {{sample<event_ptr>()}, 12};
}

template <>
webhook sample() {
  webhook w;
  w.platform = "github";
  w.method = "POST";
  w.query = "a=b";
  w.headers = {{"x-github-event", "push"}, {"x-github-event", "ping"}};
  w.body = sample<shared_text>();
  w.remote_address = "127.0.0.1";
  w.received_at = some_time(7);
  return w;
}

template <>
webhook_ptr sample() {
  return std::make_shared<const webhook>(sample<webhook>());
}

template <>
webhook_answer sample() {
  return {202, "text/plain", {{"retry-after", "1"}}, "ok"};
}

template <>
dead_letter sample() {
  dead_letter d;
  d.id = some_uuid(6);
  d.created_at = some_time(8);
  d.origin = "spool";
  d.reason = "row_refused";
  d.attempts = 3;
  d.event_id = some_uuid(7);
  d.history = {{some_time(2), "first"}, {some_time(3), "second"}};
  d.event_seq = 12;
  d.platform = "github";
  d.event_type = "push";
  d.body = "{}";
  d.body_bytes = 9;
  return d;
}

template <>
std::vector<log_mark> sample() {
  return {sample<log_mark>(), log_mark{}};
}

template <>
std::vector<uuid> sample() {
  return {some_uuid(6), some_uuid(7)};
}

template <>
std::vector<dead_letter> sample() {
  return {sample<dead_letter>(), dead_letter{}};
}

template <>
failed_attempt sample() {
  return {some_time(4), "no answer"};
}

template <>
dead_letter_query sample() {
  dead_letter_query q;
  q.id = some_uuid(1);
  q.origin = "processor";
  q.platforms = {"github", "slack"};
  q.event_types = {"push"};
  q.event_id = some_uuid(2);
  q.since = some_time(1);
  q.until = some_time(2);
  q.before = some_uuid(3);
  q.limit = 7;
  q.bodies = false;
  return q;
}

template <>
dead_letter_retry sample() {
  return {false, true, some_time(1), sample<dead_letter_query>(), 2.5,
          3,     4,    "down"};
}

template <>
spool_state sample() {
  return {3, 4, {{"github", "72d3162e", some_uuid(3)}}};
}

template <>
join_answer sample() {
  return {true, 6, {}, 7};
}

// -- equality for those that have none of their own --------------------------

template <class T>
bool same(const T& a, const T& b) {
  if constexpr (std::is_empty_v<T>)
    return true;
  else
    return a == b;
}

bool same(const log_range& a, const log_range& b) {
  return a.first == b.first && a.last == b.last && a.events == b.events &&
         a.news == b.news;
}

bool same(const log_range_ptr& a, const log_range_ptr& b) {
  return a && b && same(*a, *b);
}

bool same(const event_page& a, const event_page& b) {
  return a.events == b.events && a.next_cursor == b.next_cursor;
}

bool same(const webhook& a, const webhook& b) {
  return a.platform == b.platform && a.method == b.method &&
         a.query == b.query && a.headers == b.headers && a.body == b.body &&
         a.remote_address == b.remote_address && a.received_at == b.received_at;
}

bool same(const webhook_ptr& a, const webhook_ptr& b) {
  return a && b && same(*a, *b);
}

bool same(const webhook_answer& a, const webhook_answer& b) {
  return a.status == b.status && a.content_type == b.content_type &&
         a.headers == b.headers && a.body == b.body;
}

// -- what a link does with a message -----------------------------------------

/// Empty types are atoms: all of their values are the same.
template <class T>
T value_of() {
  if constexpr (std::is_empty_v<T>)
    return {};
  else
    return sample<T>();
}

template <class T>
void round_trip(caf::actor_system& sys) {
  SCOPED_TRACE(caf::to_string(caf::type_name_v<T>));
  if constexpr (caf::is_error_code_enum_v<T>) {
    // CAF makes an error of it before it is a message.
    auto value = value_of<T>();
    caf::byte_buffer raw;
    caf::binary_serializer to{sys, raw};
    ASSERT_TRUE(to.apply(value));
    caf::binary_deserializer from{sys, raw};
    T read{};
    ASSERT_TRUE(from.apply(read));
    EXPECT_EQ(read, value);
  } else {
    caf::message message = caf::make_message(value_of<T>());
    caf::byte_buffer bytes;
    caf::binary_serializer sink{sys, bytes};
    ASSERT_TRUE(sink.apply(message)) << caf::to_string(sink.get_error());
    caf::message copy;
    caf::binary_deserializer source{sys, bytes};
    ASSERT_TRUE(source.apply(copy)) << caf::to_string(source.get_error());
    EXPECT_EQ(source.remaining(), 0u);
    ASSERT_TRUE(copy.match_elements<T>());
    EXPECT_TRUE(same(copy.get_as<T>(0), message.get_as<T>(0)));
  }
}

/// Every type of the block but those that may not leave the process: a type
/// without a sample does not link.
template <uint16_t... Offsets>
void round_trip_all(caf::actor_system& sys,
                    std::integer_sequence<uint16_t, Offsets...>) {
  auto one = [&sys]<class T>(std::type_identity<T>) {
    if constexpr (!caf::is_allowed_unsafe_message_type_v<T>)
      round_trip<T>(sys);
  };
  (one(std::type_identity<
       caf::type_by_id_t<caf::id_block::eventweft::begin + Offsets>>{}),
   ...);
}

class round_trip_test : public ::testing::Test {
 protected:
  struct types {
    types() { init_message_types(); }
  } known;
  caf::actor_system_config cfg;
  caf::actor_system sys{cfg};
};

TEST_F(round_trip_test, every_type_that_may_cross_a_link) {
  constexpr auto count = static_cast<uint16_t>(caf::id_block::eventweft::end -
                                               caf::id_block::eventweft::begin);
  round_trip_all(sys, std::make_integer_sequence<uint16_t, count>{});
}

TEST_F(round_trip_test, null_pointers_and_defaults) {
  caf::message message = caf::make_message(event_ptr{}, log_range_ptr{},
                                           event{}, filter{}, webhook_ptr{});
  caf::byte_buffer bytes;
  caf::binary_serializer sink{sys, bytes};
  ASSERT_TRUE(sink.apply(message));
  caf::message copy;
  caf::binary_deserializer source{sys, bytes};
  ASSERT_TRUE(source.apply(copy));
  ASSERT_TRUE((copy.match_elements<event_ptr, log_range_ptr, event, filter,
                                   webhook_ptr>()));
  EXPECT_FALSE(copy.get_as<event_ptr>(0));
  EXPECT_FALSE(copy.get_as<log_range_ptr>(1));
  EXPECT_EQ(copy.get_as<event>(2), event{});
  EXPECT_EQ(copy.get_as<filter>(3), filter{});
  EXPECT_FALSE(copy.get_as<webhook_ptr>(4));
}

TEST_F(round_trip_test, enum_beyond_its_values_is_refused) {
  caf::byte_buffer bytes;
  caf::binary_serializer sink{sys, bytes};
  ASSERT_TRUE(sink.apply(uint8_t{200}));
  caf::binary_deserializer source{sys, bytes};
  auto code = ec::none;
  EXPECT_FALSE(source.apply(code));
  EXPECT_EQ(code, ec::none);
}

TEST_F(round_trip_test, errors_keep_code_and_message_across_caf) {
  error e{ec::too_large, "25 MiB"};
  EXPECT_EQ(from_caf(to_caf(e)), e);
  caf::byte_buffer bytes;
  caf::binary_serializer sink{sys, bytes};
  ASSERT_TRUE(sink.apply(to_caf(e)));
  caf::binary_deserializer source{sys, bytes};
  caf::error copy;
  ASSERT_TRUE(source.apply(copy));
  EXPECT_EQ(from_caf(copy), e);
}

TEST_F(round_trip_test, errors_of_caf_become_ours) {
  EXPECT_EQ(from_caf(caf::make_error(caf::sec::request_timeout)).code,
            ec::timed_out);
  EXPECT_EQ(from_caf(caf::make_error(caf::sec::request_receiver_down)).code,
            ec::overloaded);
  EXPECT_EQ(from_caf(caf::make_error(caf::sec::broken_promise)).code,
            ec::overloaded);
  EXPECT_EQ(from_caf(caf::make_error(caf::sec::unexpected_message)).code,
            ec::internal);
}

TEST(event_for_readers, lacks_what_only_the_store_gets_and_nothing_else) {
  auto expected = sample<event>();
  expected.details = {};
  expected.keys.clear();
  EXPECT_EQ(sample<event>().for_readers(), expected);
}

TEST(type_ids, the_numbers_that_travel_do_not_move) {
  // Append only: a number that changes here breaks clusters of mixed builds.
  EXPECT_EQ(caf::type_id_v<ec>, caf::first_custom_type_id);
  EXPECT_EQ(caf::type_id_v<event>, caf::first_custom_type_id + 6);
  EXPECT_EQ(caf::type_id_v<log_range_ptr>, caf::first_custom_type_id + 9);
  EXPECT_EQ(caf::type_id_v<join_request>, caf::first_custom_type_id + 26);
  EXPECT_EQ(caf::type_id_v<ack_atom>, caf::first_custom_type_id + 28);
  EXPECT_EQ(caf::type_id_v<tick_atom>, caf::first_custom_type_id + 49);
}

} // namespace

} // namespace eventweft
