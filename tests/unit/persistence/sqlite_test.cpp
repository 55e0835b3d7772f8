// SPDX-License-Identifier: Apache-2.0
#include "persistence/sqlite/database.hpp"
#include "persistence/sqlite/key_filter.hpp"
#include "persistence/sqlite/store.hpp"
#include "persistence/store.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

namespace eventweft {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class sqlite_file : public ::testing::Test {
 protected:
  sqlite_file() {
    auto name = (fs::temp_directory_path() / "eventweft-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~sqlite_file() override { fs::remove_all(directory_); }

  store_ptr open(const fs::path& path) {
    auto store = open_store({"sqlite:" + path.string()});
    EXPECT_TRUE(store);
    return *store;
  }

  fs::path directory_;
};

TEST_F(sqlite_file, OpeningConnectsToNothing) {
  auto store = open(directory_ / "missing" / "log.db");
  EXPECT_EQ(store->engine(), "sqlite");
  store->open_session();
  EXPECT_TRUE(fs::is_empty(directory_));
}

TEST_F(sqlite_file, AMissingDirectoryIsNamed) {
  auto failed = open(directory_ / "missing" / "log.db")->migrate();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ec::store_unavailable);
  EXPECT_THAT(failed.error().message,
              ::testing::HasSubstr((directory_ / "missing").string()));
}

TEST_F(sqlite_file, ADirectoryThatComesLaterWillDo) {
  auto store = open(directory_ / "later" / "log.db");
  auto session = store->open_session();
  EXPECT_FALSE(session->head());
  fs::create_directory(directory_ / "later");
  ASSERT_TRUE(store->migrate());
  EXPECT_EQ(session->head()->seq, 0);
}

TEST_F(sqlite_file, OneThatIsRemovedTakesNothingUntilItIsBack) {
  const auto path = directory_ / "log.db";
  auto store = open(path);
  ASSERT_TRUE(store->migrate());
  auto session = store->open_session();
  event e;
  e.id.bytes[0] = 1;
  e.platform = "github";
  e.event_type = "push";
  e.event_id = "1";
  e.payload = shared_text{"{}"};
  std::vector<event_ptr> events;
  events.emplace_back(std::move(e));
  ASSERT_TRUE(session->append(events));

  fs::rename(path, directory_ / "aside.db");
  for (auto refused :
       {session->append(events).error(), session->head().error(),
        // Those who come later make no new file either.
        store->open_session()->head().error(), store->migrate().error()}) {
    EXPECT_EQ(refused.code, ec::store_unavailable);
    EXPECT_THAT(refused.message, ::testing::HasSubstr(path.string()));
    EXPECT_THAT(refused.message, ::testing::HasSubstr("removed"));
  }
  EXPECT_FALSE(fs::exists(path));

  // A copy has the same content and is another file.
  fs::copy_file(directory_ / "aside.db", path);
  const auto replaced = session->append(events);
  ASSERT_FALSE(replaced);
  EXPECT_EQ(replaced.error().code, ec::store_unavailable);
  EXPECT_THAT(replaced.error().message, ::testing::HasSubstr("replaced"));

  fs::rename(directory_ / "aside.db", path);
  const auto again = session->append(events);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->front().outcome.seq, 1);
  EXPECT_EQ(store->open_session()->head()->seq, 1);
}

// Its log is where the file is, not where the link is.
TEST_F(sqlite_file, ALinkedFileIsBroughtToTheDiskItself) {
  const auto path = directory_ / "log.db";
  const auto link = directory_ / "link.db";
  std::ofstream{path};
  fs::create_symlink(path, link);
  sqlite::log_sync sync;
  EXPECT_TRUE(sync.flush(link.string(), 1));
  // One that can't be opened is noticed.
  const auto log = directory_ / "log.db-wal";
  fs::create_symlink(log, log);
  auto failed = sync.flush(link.string(), 2);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ec::store_unavailable);
}

TEST_F(sqlite_file, AViewIsOfTheMomentItIsTaken) {
  const sqlite::database_file file{(directory_ / "log.db").string(), {}};
  sqlite::database reads{file};
  sqlite::database writes{file};
  writes.raw().exec("CREATE TABLE t (n INTEGER)");
  const auto count = [&] {
    return reads.raw().execAndGet("SELECT count(*) FROM t").getInt();
  };
  {
    const sqlite::read_transaction view{reads};
    writes.raw().exec("INSERT INTO t VALUES (1)");
    EXPECT_EQ(count(), 0);
  }
  EXPECT_EQ(count(), 1);
}

// What has to be written over and over, or it would grow for ever.
class sqlite_log : public sqlite_file {
 protected:
  void SetUp() override {
    sqlite_file::SetUp();
    file_.path = (directory_ / "log.db").string();
    file_.checkpoints =
        std::make_shared<sqlite::checkpointer>(file_.path, file_.writers, 64);
    writes_ = std::make_unique<sqlite::database>(file_);
    write("CREATE TABLE t (b BLOB)");
  }

  void write(const char* sql) {
    sqlite::write_transaction tx{*writes_};
    writes_->raw().exec(sql);
    tx.commit();
  }

  void add_rows(int n) {
    for (; n > 0; --n, ++rows_)
      write("INSERT INTO t VALUES (randomblob(16000))");
  }

  static int count(sqlite::database& db) {
    return db.raw().execAndGet("SELECT count(*) FROM t").getInt();
  }

  /// A log that only grows holds at least all that was ever written.
  bool has_begun_anew() const {
    return fs::file_size(file_.path + "-wal") < 16'000ULL * rows_ / 2;
  }

  void add_rows_until_it_begins_anew() {
    const auto most = rows_ + 5'000;
    while (!has_begun_anew() && rows_ < most)
      add_rows(1);
    EXPECT_TRUE(has_begun_anew());
  }

  sqlite::database_file file_;
  std::unique_ptr<sqlite::database> writes_;
  int rows_ = 0;
};

TEST_F(sqlite_log, BeginsAnewUnderWritersWithoutAPause) {
  add_rows_until_it_begins_anew();
  sqlite::database reads{file_};
  EXPECT_EQ(count(reads), rows_);
  EXPECT_EQ(reads.raw().execAndGet("PRAGMA integrity_check").getString(), "ok");
}

TEST_F(sqlite_log, WaitsForReadersAndTakesNothingFromThem) {
  sqlite::database reads{file_};
  {
    const sqlite::read_transaction view{reads};
    add_rows(100);
    EXPECT_FALSE(has_begun_anew());
    EXPECT_EQ(count(reads), 0);
  }
  add_rows_until_it_begins_anew();
  EXPECT_EQ(count(reads), rows_);
}

TEST_F(sqlite_log, TakesItsTurnAmongTheWriters) {
  auto mine = writes_->turn_to_write();
  for (; file_.writers->waiting() == 0; ++rows_)
    writes_->raw().exec("INSERT INTO t VALUES (randomblob(16000))");
  mine.end();
  add_rows_until_it_begins_anew();
}

TEST(SqliteDeathTest, KeepsNoAccountOfItsMemoryIfToldInTime) {
  // In a process where nobody has used SQLite yet.
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto tell = [] {
    const bool in_time = sqlite::spare_memory_accounts();
    const SQLite::Database used{":memory:"};
    const bool too_late = sqlite::spare_memory_accounts();
    ::_exit(in_time && !too_late && sqlite3_memory_used() == 0 ? 0 : 1);
  };
  EXPECT_EXIT(tell(), ::testing::ExitedWithCode(0), "");
}

TEST_F(sqlite_file, AnotherKindOfFileIsCorrupt) {
  std::ofstream{directory_ / "text.db"} << std::string(10'000, 'x');
  auto failed = open(directory_ / "text.db")->migrate();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ec::corrupt);
  EXPECT_THAT(failed.error().message,
              ::testing::HasSubstr((directory_ / "text.db").string()));
}

TEST_F(sqlite_file, ADirectoryInItsPlaceIsNamed) {
  auto failed = open(directory_)->migrate();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ec::store_unavailable);
  EXPECT_THAT(failed.error().message,
              ::testing::HasSubstr(directory_.string() + " is a directory"));
}

// Root may write to everything: somebody else looks.
TEST_F(sqlite_file, OneThatMayOnlyBeReadIsRefusedAtOnce) {
  const auto path = directory_ / "log.db";
  ASSERT_TRUE(open(path)->migrate());
  fs::permissions(directory_, fs::perms::all);
  fs::permissions(path, static_cast<fs::perms>(0444));
  const auto look = [&] {
    constexpr uid_t nobody = 65'534;
    if (::geteuid() == 0 && ::setresuid(nobody, nobody, nobody) != 0)
      ::_exit(2);
    const auto checked = open(path)->check_schema();
    std::fputs(checked ? "usable" : checked.error().message.c_str(), stderr);
    ::_exit(checked ? 1 : 0);
  };
  EXPECT_EXIT(look(), ::testing::ExitedWithCode(0),
              "log.db can't be written by this user");
}

TEST_F(sqlite_file, AFullDiskIsStoreFull) {
  SQLite::Database db{(directory_ / "small.db").string(),
                      SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
  db.exec("PRAGMA max_page_count = 3; CREATE TABLE t (b BLOB)");
  error failed;
  try {
    db.exec("INSERT INTO t VALUES (zeroblob(1000000))");
  } catch (...) {
    failed = sqlite::translate_exception();
  }
  EXPECT_EQ(failed.code, ec::store_full);
}

TEST_F(sqlite_file, AddressesWithoutAFileAreRefused) {
  for (auto* bad : {"sqlite:", "sqlite::memory:"}) {
    auto refused = open_store({bad});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ec::bad_configuration);
  }
}

TEST(write_queue, TurnsComeInTheOrderOfAsking) {
  auto queue = std::make_shared<sqlite::write_queue>();
  auto mine = sqlite::write_queue::wait(queue, 0ms);
  ASSERT_TRUE(mine);
  EXPECT_FALSE(sqlite::write_queue::wait(queue, 1ms)) << "one at a time";
  std::vector<size_t> order; // Whoever has the turn may touch it.
  std::vector<std::thread> writers;
  for (size_t n = 0; n < 5; ++n) {
    writers.emplace_back([&, n] {
      if (auto turn = sqlite::write_queue::wait(queue, 60s))
        order.push_back(n);
    });
    while (queue->waiting() <= n)
      std::this_thread::yield();
  }
  // One that gives up does not hold the others up.
  EXPECT_FALSE(sqlite::write_queue::wait(queue, 1ms));
  mine.end();
  for (auto& w : writers)
    w.join();
  EXPECT_THAT(order, ::testing::ElementsAre(0, 1, 2, 3, 4));
  EXPECT_TRUE(sqlite::write_queue::wait(queue, 0ms));
}

TEST_F(sqlite_file, AWriterThatWaitsTooLongIsToldSo) {
  sqlite::database_file file{(directory_ / "busy.db").string(), {}};
  file.options.lock_timeout = 1ms;
  sqlite::database one{file};
  sqlite::database other{file};
  sqlite::write_transaction first{one};
  error failed;
  try {
    sqlite::write_transaction second{other};
  } catch (...) {
    failed = sqlite::translate_exception();
  }
  EXPECT_EQ(failed.code, ec::store_unavailable);
  EXPECT_THAT(failed.message, ::testing::HasSubstr("lock_timeout"));
  first.commit();
  sqlite::write_transaction third{other};
  third.commit();
}

TEST(key_filter, KnowsAllItWasToldAndFewOthers) {
  seeded_random random{1};
  sqlite::key_filter filter;
  EXPECT_FALSE(filter.may_contain(1));
  std::vector<int64_t> keys;
  for (int i = 0; i < 1'200'000; ++i)
    keys.push_back(static_cast<int64_t>(random.next()));
  for (auto key : keys)
    filter.add(key);
  for (auto key : keys)
    ASSERT_TRUE(filter.may_contain(key));
  int wrong = 0;
  for (int i = 0; i < 100'000; ++i)
    wrong += filter.may_contain(static_cast<int64_t>(random.next()));
  EXPECT_LT(wrong, 1'000);
}

TEST_F(sqlite_file, DuplicatesAreFoundInEveryPartOfTheIndex) {
  auto path = directory_ / "log.db";
  ASSERT_TRUE(open(path)->migrate());
  auto numbered = [](int n) {
    event e;
    e.id.bytes[0] = 1;
    e.id.bytes[14] = static_cast<uint8_t>(n >> 8);
    e.id.bytes[15] = static_cast<uint8_t>(n);
    e.platform = "github";
    e.event_type = "push";
    e.event_id = std::to_string(n);
    e.payload = shared_text{"{}"};
    return e;
  };
  constexpr int count = 40'000;
  std::vector<event_ptr> events;
  for (int n = 0; n < count; ++n)
    events.emplace_back(numbered(n));
  ASSERT_TRUE(open(path)->open_session()->append(events));
  // Another program that has never seen them.
  auto session = open(path)->open_session();
  std::vector<event_ptr> again;
  for (int n : {0, 16'382, 16'383, 16'384, count - 1, count}) {
    auto e = numbered(n);
    e.id.bytes[0] = 2;
    again.emplace_back(std::move(e));
  }
  auto results = session->append(again);
  ASSERT_TRUE(results);
  for (size_t i = 0; i < again.size(); ++i)
    EXPECT_EQ(results->at(i).outcome.duplicate, i + 1 < again.size()) << i;
  EXPECT_EQ(results->back().outcome.seq, count + 1);
}

TEST_F(sqlite_file, ALockedFileEndsInATimeOut) {
  auto path = directory_ / "log.db";
  ASSERT_TRUE(open(path)->migrate());
  store_options quick{"sqlite:" + path.string()};
  quick.lock_timeout = std::chrono::milliseconds{50};
  auto session = (*open_store(quick))->open_session();
  dead_letter letter;
  SQLite::Database holder{path.string(), SQLite::OPEN_READWRITE};
  holder.exec("BEGIN IMMEDIATE");
  auto failed = session->add_dead_letter(letter);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ec::store_unavailable);
  EXPECT_TRUE(session->head());
  holder.exec("ROLLBACK");
  EXPECT_TRUE(session->add_dead_letter(letter));
}

} // namespace
} // namespace eventweft
