// SPDX-License-Identifier: Apache-2.0
#include "persistence/spool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <string>

namespace eventweft {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

event numbered(int n) {
  seeded_random random{static_cast<uint64_t>(n)};
  event e;
  e.created_at =
      timestamp{std::chrono::microseconds{1'700'000'000'123'456 + n}};
  e.id = uuid::v7(e.created_at, random);
  e.event_id = "delivery " + std::to_string(n);
  e.platform = "github";
  e.event_type = "push";
  e.payload = shared_text{"{ \"n\" :\t" + std::to_string(n) + "}\n"};
  return e;
}

std::vector<event_ptr> numbered(int first, int last) {
  std::vector<event_ptr> events;
  for (int n = first; n <= last; ++n)
    events.emplace_back(numbered(n));
  return events;
}

std::vector<int> numbers(const std::vector<event_ptr>& events) {
  std::vector<int> all;
  for (auto& e : events)
    all.push_back(std::stoi(e->event_id.substr(9)));
  return all;
}

class spool_test : public ::testing::Test {
 protected:
  spool_test() {
    auto name = (fs::temp_directory_path() / "eventweft-XXXXXX").string();
    home_ = ::mkdtemp(name.data());
    options_.directory = home_ / "spool";
  }
  ~spool_test() override {
    spool_.reset();
    fs::remove_all(home_);
  }

  void open() {
    spool_.reset();
    auto opened = spool::open(options_);
    ASSERT_TRUE(opened) << to_string(opened.error());
    spool_ = std::move(*opened);
  }

  void append(int first, int last) {
    auto done = spool_->append(numbered(first, last));
    ASSERT_TRUE(done) << to_string(done.error());
  }

  std::vector<int> peek(size_t max = 1000) {
    auto events = spool_->peek(max);
    EXPECT_TRUE(events) << to_string(events.error());
    return numbers(*events);
  }

  /// Takes all out, as the drain does.
  std::vector<int> drain(size_t step) {
    std::vector<int> all;
    while (spool_->state().events != 0) {
      auto some = peek(step);
      EXPECT_FALSE(some.empty());
      EXPECT_LE(some.size(), step);
      all.insert(all.end(), some.begin(), some.end());
      EXPECT_TRUE(spool_->drop(some.size()));
    }
    return all;
  }

  std::vector<fs::path> segments() const {
    std::vector<fs::path> all;
    for (auto& entry : fs::directory_iterator{options_.directory})
      if (entry.path().extension() == ".spool")
        all.push_back(entry.path());
    std::sort(all.begin(), all.end());
    return all;
  }

  static std::string contents(const fs::path& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }

  static void overwrite(const fs::path& path, const std::string& bytes) {
    std::ofstream{path, std::ios::binary | std::ios::trunc} << bytes;
  }

  fs::path home_;
  spool_options options_;
  std::unique_ptr<spool> spool_;
};

TEST_F(spool_test, FirstInFirstOut) {
  open();
  EXPECT_THAT(peek(), IsEmpty());
  append(1, 3);
  append(4, 4);
  EXPECT_EQ(spool_->state().events, 4u);
  EXPECT_GT(spool_->state().bytes, 0u);
  EXPECT_THAT(peek(2), ElementsAre(1, 2));
  EXPECT_THAT(peek(), ElementsAre(1, 2, 3, 4));
  ASSERT_TRUE(spool_->drop(2));
  EXPECT_THAT(peek(), ElementsAre(3, 4));
  append(5, 5);
  EXPECT_THAT(drain(1), ElementsAre(3, 4, 5));
  EXPECT_EQ(spool_->state().events, 0u);
  EXPECT_EQ(spool_->state().bytes, 0u);
}

TEST_F(spool_test, SaysWhichEventsItHolds) {
  const auto held = [this] {
    std::vector<std::string> ids;
    auto all = spool_->held();
    EXPECT_TRUE(all) << to_string(all.error());
    for (const auto& one : *all) {
      EXPECT_EQ(one.platform, "github");
      ids.push_back(one.event_id);
    }
    return ids;
  };
  // A segment for each append.
  options_.segment_bytes = 1;
  open();
  EXPECT_THAT(held(), IsEmpty());
  append(1, 3);
  append(4, 4);
  ASSERT_TRUE(spool_->drop(1));
  const auto left = ElementsAre("delivery 2", "delivery 3", "delivery 4");
  EXPECT_THAT(held(), left);
  EXPECT_EQ(spool_->held()->front().id, numbered(2).id);
  // Also after some of it was looked at, and in the next process.
  EXPECT_THAT(peek(2), ElementsAre(2, 3));
  EXPECT_THAT(held(), left);
  open();
  EXPECT_THAT(held(), left);
}

TEST_F(spool_test, EventsComeBackByteForByte) {
  auto e = numbered(1);
  e.priority = priority::critical;
  e.correlation_id = e.id;
  e.metadata = R"({"k":[1]})";
  e.processed_at = e.created_at;
  e.processing_duration = 0.25;
  e.source_name = "a\"b\\c\n\xC3\xA9";
  e.payload = shared_text{
      "{ \"a\" : 1.50e+400,\r\n\"nul\":\"\\u0000\",\"lone\":\"\\uD800\","
      "\"a\":\"\\/\" }\n"};
  e.payload_readable = shared_text{
      "{ \"a\" : 1.50e+400,\r\n\"nul\":\"\\ufffd\",\"lone\":\"\\ufffd\","
      "\"a\":\"\\/\" }\n"};
  e.details.github = R"({"action":"opened"})";
  e.details.deployment = R"({"status":"success"})";
  open();
  ASSERT_TRUE(spool_->append(std::vector{event_ptr{e}}));
  open();
  auto back = spool_->peek(1);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back->at(0), e);
}

TEST_F(spool_test, SurvivesReopening) {
  open();
  append(1, 5);
  ASSERT_TRUE(spool_->drop(2));
  open();
  EXPECT_EQ(spool_->state().events, 3u);
  append(6, 6);
  ASSERT_TRUE(spool_->drop(1));
  open();
  EXPECT_THAT(drain(2), ElementsAre(4, 5, 6));
  open();
  EXPECT_EQ(spool_->state().events, 0u);
  append(7, 7);
  open();
  EXPECT_THAT(peek(), ElementsAre(7));
}

TEST_F(spool_test, ConsumedSegmentsGo) {
  options_.segment_bytes = 1;
  open();
  for (int n = 1; n <= 6; ++n)
    append(n, n);
  EXPECT_EQ(segments().size(), 6u);
  auto before = spool_->state().bytes;
  ASSERT_TRUE(spool_->drop(4));
  EXPECT_EQ(segments().size(), 2u);
  EXPECT_LT(spool_->state().bytes, before);
  open();
  EXPECT_THAT(drain(10), ElementsAre(5, 6));
  EXPECT_THAT(segments(), IsEmpty());
}

TEST_F(spool_test, DropsMoreThanWasLookedAt) {
  options_.segment_bytes = 400;
  open();
  for (int n = 1; n <= 9; n += 3)
    append(n, n + 2);
  ASSERT_TRUE(spool_->drop(7));
  EXPECT_THAT(peek(), ElementsAre(8, 9));
  ASSERT_TRUE(spool_->drop(100));
  EXPECT_THAT(peek(), IsEmpty());
}

TEST_F(spool_test, ATornTailIsCutWhereverItWasTorn) {
  open();
  append(1, 2);
  auto whole = contents(segments().at(0)).size();
  append(3, 4);
  auto path = segments().at(0);
  auto all = contents(path);
  for (auto length = whole; length < all.size(); ++length) {
    SCOPED_TRACE(length);
    spool_.reset();
    overwrite(path, all.substr(0, length));
    open();
    ASSERT_THAT(peek(), ElementsAre(1, 2));
    append(9, 9);
    open();
    ASSERT_THAT(peek(), ElementsAre(1, 2, 9));
  }
}

TEST_F(spool_test, ATailWhoseBytesNeverReachedTheDiskIsCut) {
  open();
  append(1, 2);
  auto whole = contents(segments().at(0)).size();
  append(3, 4);
  auto path = segments().at(0);
  auto all = contents(path);
  // The length was there, some of the bytes were not.
  for (auto from = whole; from < all.size(); ++from) {
    SCOPED_TRACE(from);
    auto bytes = all;
    for (auto i = from; i < std::min(from + 16, all.size()); ++i)
      bytes[i] = '\0';
    if (bytes == all)
      continue;
    spool_.reset();
    overwrite(path, bytes);
    open();
    ASSERT_THAT(peek(), ElementsAre(1, 2));
  }
}

TEST_F(spool_test, ASegmentThatWasJustBegunIsNoDamage) {
  open();
  append(1, 1);
  auto path = segments().at(0);
  auto all = contents(path);
  for (size_t length = 0; length <= 8; ++length) {
    spool_.reset();
    overwrite(path, all.substr(0, length));
    open();
    EXPECT_THAT(peek(), IsEmpty());
    append(2, 2);
    EXPECT_THAT(drain(5), ElementsAre(2));
    spool_.reset();
  }
}

TEST_F(spool_test, DamageBeforeTheTailIsNamedNotCut) {
  open();
  append(1, 1);
  auto first_end = contents(segments().at(0)).size();
  append(2, 2);
  append(3, 3);
  spool_.reset();
  auto path = segments().at(0);
  auto bytes = contents(path);
  bytes[first_end + 30] ^= 1;
  overwrite(path, bytes);
  auto failed = spool::open(options_);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ec::corrupt);
  EXPECT_THAT(failed.error().message,
              ::testing::HasSubstr(path.string() + " is damaged at byte " +
                                   std::to_string(first_end)));
  EXPECT_EQ(contents(path), bytes);
}

// Where a frame's length is what is wrong, the next one is not where it says.
TEST_F(spool_test, DamageToAFramesHeaderIsNamedNotCut) {
  open();
  append(1, 1);
  const auto first_end = contents(segments().at(0)).size();
  append(2, 2);
  const auto second_end = contents(segments().at(0)).size();
  append(3, 3);
  append(4, 4);
  spool_.reset();
  const auto path = segments().at(0);
  const auto good = contents(path);
  for (size_t at = first_end; at < first_end + 12; ++at) {
    SCOPED_TRACE(at);
    auto bytes = good;
    bytes[at] ^= 0x40;
    // The one after it may have been in the same sector.
    bytes[second_end + 2] ^= 0x40;
    overwrite(path, bytes);
    const auto failed = spool::open(options_);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ec::corrupt);
    EXPECT_EQ(contents(path), bytes);
  }
}

TEST_F(spool_test, ASegmentThatLostItsBeginningIsNamedNotRemoved) {
  open();
  append(1, 1);
  append(2, 2);
  spool_.reset();
  const auto path = segments().at(0);
  auto bytes = contents(path);
  bytes.replace(0, 8, 8, '\0');
  overwrite(path, bytes);
  const auto failed = spool::open(options_);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ec::corrupt);
  EXPECT_EQ(contents(path), bytes);
}

TEST_F(spool_test, DamageInAnOlderSegmentIsNamed) {
  options_.segment_bytes = 1;
  open();
  append(1, 1);
  append(2, 2);
  spool_.reset();
  auto bytes = contents(segments().at(0));
  bytes.back() ^= 1;
  overwrite(segments().at(0), bytes);
  auto failed = spool::open(options_);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ec::corrupt);
}

TEST_F(spool_test, LosingTheProgressBringsEventsBackAndLosesNone) {
  open();
  append(1, 3);
  ASSERT_TRUE(spool_->drop(2));
  spool_.reset();
  fs::remove(options_.directory / "progress");
  open();
  EXPECT_THAT(peek(), ElementsAre(1, 2, 3));
}

TEST_F(spool_test, ProgressThatCantBeReadIsNamed) {
  open();
  append(1, 3);
  ASSERT_TRUE(spool_->drop(2));
  spool_.reset();
  for (const std::string text : {"", "1", "1 2", "x 2\n"}) {
    overwrite(options_.directory / "progress", text);
    const auto failed = spool::open(options_);
    ASSERT_FALSE(failed) << text;
    EXPECT_EQ(failed.error().code, ec::corrupt);
    EXPECT_NE(failed.error().message.find("progress"), std::string::npos);
  }
  overwrite(options_.directory / "progress", "1 2\n");
  open();
  EXPECT_THAT(peek(), ElementsAre(3));
}

TEST_F(spool_test, TheLimitIsStoreFullAndHarmless) {
  options_.max_bytes = 2'000;
  open();
  int stored = 0;
  expected<void> done;
  while ((done = spool_->append(numbered(stored + 1, stored + 1))))
    ++stored;
  EXPECT_EQ(done.error().code, ec::store_full);
  EXPECT_GT(stored, 2);
  EXPECT_LE(spool_->state().bytes, 2'000u);
  open();
  EXPECT_EQ(peek().size(), static_cast<size_t>(stored));
  drain(1);
  append(50, 50);
  EXPECT_THAT(peek(), ElementsAre(50));
}

TEST_F(spool_test, AWriteThatFailsHalfWayLeavesNoTrace) {
  open();
  append(1, 2);
  auto length = contents(segments().at(0)).size();
  // A limit on the size of files fails as a full disk does: in the middle.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  rlimit tight{length + 100, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  auto failed = spool_->append(numbered(3, 9));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  ASSERT_FALSE(failed);
  EXPECT_EQ(contents(segments().at(0)).size(), length);
  append(10, 10);
  open();
  EXPECT_THAT(peek(), ElementsAre(1, 2, 10));
}

TEST_F(spool_test, TwoNeverShareADirectory) {
  open();
  auto second = spool::open(options_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ec::conflict);
  spool_.reset();
  EXPECT_TRUE(spool::open(options_));
}

TEST_F(spool_test, WhatWasRemovedUnderItIsPutBack) {
  options_.segment_bytes = 200;
  open();
  append(1, 3);
  append(4, 6);
  EXPECT_TRUE(spool_->drop(1));
  fs::remove_all(options_.directory);
  append(7, 7);
  const auto held = peek();
  EXPECT_THAT(held, ElementsAre(2, 3, 4, 5, 6, 7));
  // As after a crash: what was dropped may come again, nothing is missing.
  fs::copy(options_.directory, home_ / "copy");
  options_.directory = home_ / "copy";
  open();
  EXPECT_THAT(drain(2), ElementsAre(1, 2, 3, 4, 5, 6, 7));
}

TEST_F(spool_test, WhatWasMovedAwayIsPutBackOnTheWayOut) {
  open();
  append(1, 3);
  fs::rename(options_.directory, home_ / "elsewhere");
  EXPECT_THAT(drain(2), ElementsAre(1, 2, 3));
  append(4, 4);
  open();
  EXPECT_THAT(drain(2), ElementsAre(4));
}

TEST_F(spool_test, SomebodyElsesFileInItsPlaceStays) {
  open();
  append(1, 1);
  const auto path = segments().at(0);
  fs::remove(path);
  overwrite(path, "precious");
  EXPECT_FALSE(spool_->append(numbered(2, 2)));
  EXPECT_TRUE(spool_->drop(1));
  EXPECT_EQ(contents(path), "precious");
  fs::remove(path);
  append(2, 2);
  EXPECT_THAT(drain(2), ElementsAre(2));
}

TEST_F(spool_test, WhoCameInItsPlaceIsLeftAlone) {
  open();
  append(1, 3);
  fs::rename(options_.directory, home_ / "elsewhere");
  auto first = std::move(spool_);
  open();
  append(11, 13);
  EXPECT_TRUE(spool_->drop(1));
  const auto progress = contents(options_.directory / "progress");
  EXPECT_FALSE(first->append(numbered(4, 4)));
  EXPECT_TRUE(first->drop(3));
  EXPECT_EQ(contents(options_.directory / "progress"), progress);
  open();
  EXPECT_THAT(drain(2), ElementsAre(12, 13));
}

TEST_F(spool_test, WhatCouldNotBePutBackIsTriedAgain) {
  open();
  append(1, 2);
  fs::remove_all(options_.directory);
  // Nothing can be made there for a while.
  overwrite(options_.directory, "a file");
  EXPECT_FALSE(spool_->append(numbered(3, 3)));
  // What is on its way out goes on.
  EXPECT_EQ(peek(), (std::vector<int>{1, 2}));
  static_cast<void>(spool_->drop(1));
  EXPECT_EQ(peek(), (std::vector<int>{2}));
  fs::remove(options_.directory);
  append(3, 3);
  EXPECT_THAT(segments(), ::testing::SizeIs(1));
  EXPECT_THAT(drain(2), ElementsAre(2, 3));
}

TEST_F(spool_test, ADirectoryThatCannotBeIsNamed) {
  std::ofstream{home_ / "file"} << "x";
  options_.directory = home_ / "file" / "spool";
  auto failed = spool::open(options_);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ec::store_unavailable);
  EXPECT_THAT(failed.error().message,
              ::testing::HasSubstr(options_.directory.string()));
}

} // namespace
} // namespace eventweft
