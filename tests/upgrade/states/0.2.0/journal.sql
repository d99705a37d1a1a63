BEGIN TRANSACTION;
CREATE TABLE events (
        seq INTEGER PRIMARY KEY,
        utc TEXT NOT NULL,
        kind TEXT NOT NULL,
        data TEXT NOT NULL,
        hash TEXT NOT NULL
    );
INSERT INTO "events" VALUES(1,'2026-03-02T08:00:14.000Z','machine_started','{"version":""}','50127c205864d474fbc0f5ad3798202ca7dc500294ca05a1b840cd4842c6694f');
INSERT INTO "events" VALUES(2,'2026-03-02T08:00:21.000Z','stock_set','{"slot":"A1","count":3,"reason":"initial"}','740f056c44f68c47761b7ebb5e97a60af54dc7442fe55c450675e2b46185516e');
INSERT INTO "events" VALUES(3,'2026-03-02T08:00:28.000Z','stock_set','{"slot":"B1","count":3,"reason":"initial"}','d28e0c9c5921cb11fbee968a88114d6e30e48d7bb9141464f337d28c66a734a2');
INSERT INTO "events" VALUES(4,'2026-03-02T08:00:35.000Z','stock_set','{"slot":"B2","count":3,"reason":"initial"}','87e8d99b7da16ff1119728b13414e70f2eda8b6e3131da9642506eeea9111761');
INSERT INTO "events" VALUES(5,'2026-03-02T08:00:42.000Z','sale_opened','{"sale":"0e490f63-1","slot":"A1","product":"Water","price":180,"currency":"EUR","minimum_age":0,"test":false}','cd25d8b366e4b5aabcfe1fc7d3a0731d3b4a422514c497dae8013d9123d1163b');
INSERT INTO "events" VALUES(6,'2026-03-02T08:00:49.000Z','payment_requested','{"sale":"0e490f63-1","transaction":"0e490f63-1-1","amount":180}','a92c1a8d1eb0d410e7a3fdd80dc591dcc45f77e0c974b4fc3fd72b8a777d4d77');
INSERT INTO "events" VALUES(7,'2026-03-02T08:00:56.000Z','payment_approved','{"sale":"0e490f63-1","transaction":"0e490f63-1-1","amount":180,"reference":"SIM000001"}','59d115372ec2085323659a00407b43d7f05fae1484eaa46a41fee67980f54b92');
INSERT INTO "events" VALUES(8,'2026-03-02T08:01:03.000Z','vend_requested','{"sale":"0e490f63-1","slot":"A1"}','21db9be5b8092e1cd5b6a342bd183554db6c9bda9351a3c7070fb6589670f760');
INSERT INTO "events" VALUES(9,'2026-03-02T08:01:10.000Z','vend_succeeded','{"sale":"0e490f63-1","slot":"A1"}','16d8531e4b1f1bd409c4368e2e0bd747249c1a2b53c2c343da3a93b606052c14');
INSERT INTO "events" VALUES(10,'2026-03-02T08:01:17.000Z','payment_settled','{"sale":"0e490f63-1","transaction":"0e490f63-1-1"}','ee58b171fed12320898dab89b15924358ce7960fb6bd807ec7b15437f2696ce2');
INSERT INTO "events" VALUES(11,'2026-03-02T08:01:24.000Z','sale_closed','{"sale":"0e490f63-1","outcome":"sold"}','aff9b6a7384d7760ccf28eb1a7c11643a5765f7db45cb96c35186aad76b40dd8');
INSERT INTO "events" VALUES(12,'2026-03-02T08:01:31.000Z','sale_opened','{"sale":"0e490f63-2","slot":"B1","product":"Beer","price":350,"currency":"EUR","minimum_age":16,"test":false}','0c1ad7cf1dcdb500b742e91dc0ac8685cc12248af380b97fe3015fa0bb84c604');
INSERT INTO "events" VALUES(13,'2026-03-02T08:01:38.000Z','age_cleared','{"sale":"0e490f63-2","result":"id_confirmed","by":"reader"}','df0d756eea4503f7b7ffde5c95ff9094b04d01b3b229ae587b5372a94e3c7999');
INSERT INTO "events" VALUES(14,'2026-03-02T08:01:45.000Z','payment_requested','{"sale":"0e490f63-2","transaction":"0e490f63-2-1","amount":350}','e58e4639ea7fd84d041acde2fab8b01e8401bc0ba0007f570cc09dc2396e7732');
INSERT INTO "events" VALUES(15,'2026-03-02T08:01:52.000Z','payment_approved','{"sale":"0e490f63-2","transaction":"0e490f63-2-1","amount":350,"reference":"SIM000002"}','5f1e075c26bedbd15a64585a9287f4e0a8968fbbf0be5adcf2696773932bd5aa');
INSERT INTO "events" VALUES(16,'2026-03-02T08:01:59.000Z','vend_requested','{"sale":"0e490f63-2","slot":"B1"}','cf4c728aa94268e30679953da019b6f3e669443db46a062dca9c33cb6106798e');
INSERT INTO "events" VALUES(17,'2026-03-02T08:02:06.000Z','vend_succeeded','{"sale":"0e490f63-2","slot":"B1"}','41b80d2602920ebcc67ab93dda4042dd5742e3eb07e33f40edf0cb6471185da5');
INSERT INTO "events" VALUES(18,'2026-03-02T08:02:13.000Z','payment_settled','{"sale":"0e490f63-2","transaction":"0e490f63-2-1"}','220a914b46ce07ff2dd4a78ca216f9e1337c0498a61464771407e68a9374bbe8');
INSERT INTO "events" VALUES(19,'2026-03-02T08:02:20.000Z','sale_closed','{"sale":"0e490f63-2","outcome":"sold"}','2ba8913a3edeef06d91b275a7ea753cad005b1a0bd42167c0faa8494eda9dd0c');
INSERT INTO "events" VALUES(20,'2026-03-02T08:02:27.000Z','sale_opened','{"sale":"0e490f63-3","slot":"A1","product":"Water","price":180,"currency":"EUR","minimum_age":0,"test":false}','507f27749b9e35f0c1a9b21e5c087b1ca576c0f5b1c64af0dc1407047bc07bfb');
INSERT INTO "events" VALUES(21,'2026-03-02T08:02:34.000Z','payment_requested','{"sale":"0e490f63-3","transaction":"0e490f63-3-1","amount":180}','793d9c87bd2054ce9090a0682036738aaf6d7257e719a46c4a8bd154b6751709');
INSERT INTO "events" VALUES(22,'2026-03-02T08:02:41.000Z','payment_declined','{"sale":"0e490f63-3","transaction":"0e490f63-3-1","reason":"card"}','08f4dfbcf39f6671beb910a30e5c962e09b9ccf248c9bb7b39c063fa5dc144e5');
INSERT INTO "events" VALUES(23,'2026-03-02T08:02:48.000Z','checkpoint','{"layout":2,"ledger":{"opened":3,"sales":{"0e490f63-3":{"id":"0e490f63-3","slot":"A1","product":"Water","price":180,"currency":"EUR","minimum_age":0,"test":false,"age":null,"goods":"kept","attempts":1,"charged":false}},"transactions":{},"settled":["0e490f63-1-1","0e490f63-2-1"],"slots":{"A1":{"count":2,"blocked":false},"B1":{"count":2,"blocked":false},"B2":{"count":3,"blocked":false}},"prices":{},"doubts":{},"replaced":{}}}','256e0e6b252f07e759d0b1acfb359811edee37a219e5c35f0c921393c58d8f8e');
INSERT INTO "events" VALUES(24,'2026-03-02T08:02:55.000Z','sale_closed','{"sale":"0e490f63-3","outcome":"cancelled"}','7f3f65ac52fdb1ef9e433cb29fed2801a4c846ecf5a5e3eabf976802ddb62f0d');
INSERT INTO "events" VALUES(25,'2026-03-02T08:03:02.000Z','sale_opened','{"sale":"0e490f63-4","slot":"A1","product":"Water","price":180,"currency":"EUR","minimum_age":0,"test":false}','bbca01fcf660d5c9ad4d7b60616f3a8ff19bdddaf78a3d370ec1a11d259c726f');
INSERT INTO "events" VALUES(26,'2026-03-02T08:03:09.000Z','payment_requested','{"sale":"0e490f63-4","transaction":"0e490f63-4-1","amount":180}','3f0c05315255717152623d9c2000777736a9388846dc513223ad85f8e85ecc9e');
INSERT INTO "events" VALUES(27,'2026-03-02T08:03:16.000Z','payment_approved','{"sale":"0e490f63-4","transaction":"0e490f63-4-1","amount":180,"reference":"SIM000004"}','734fc2e9040d8322175138fe13cac2d698153f09132a4c2aa8144e44489e338c');
INSERT INTO "events" VALUES(28,'2026-03-02T08:03:23.000Z','vend_requested','{"sale":"0e490f63-4","slot":"A1"}','469d4e86dded21b9c2d676d26add4ac789dc068e3826f91c112d42d4d20c2af1');
INSERT INTO "events" VALUES(29,'2026-03-02T08:03:30.000Z','vend_failed','{"sale":"0e490f63-4","slot":"A1","reason":"jam"}','d010be1a8b56daff183b6e19c27f31620647152e850f649d7ed4b3f57047999e');
INSERT INTO "events" VALUES(30,'2026-03-02T08:03:37.000Z','payment_reversed','{"sale":"0e490f63-4","transaction":"0e490f63-4-1"}','a3064137ebe0048a2d62ffd8425692aa92f8f77c33d7fd270a5b39402c53aeb7');
INSERT INTO "events" VALUES(31,'2026-03-02T08:03:44.000Z','sale_closed','{"sale":"0e490f63-4","outcome":"refunded"}','b3ea6930f79b0fdd1b1be2c0a7190c7b1141dec11ea1d9bf9a926b9f7190ab64');
INSERT INTO "events" VALUES(32,'2026-03-02T08:03:51.000Z','price_set','{"slot":"A1","price":200,"instead_of":180,"currency":"EUR"}','1aa899a1082799cefd17eae973f39b20bfd49d369a9001122675e6f7e23bc768');
INSERT INTO "events" VALUES(33,'2026-03-02T08:03:58.000Z','stock_set','{"slot":"A1","count":5,"reason":"refill"}','f3ab42ec97367e562f7827329cdea8bb3df9ecd3a3eb0ee19cfd5a5232ebb61b');
INSERT INTO "events" VALUES(34,'2026-03-02T08:04:05.000Z','sale_opened','{"sale":"0e490f63-5","slot":"A1","product":"Water","price":0,"currency":"EUR","minimum_age":0,"test":true}','0086386d30e2cfe8a2fcabcaf3a0e276668c730d5626154f98f93cfe420c9752');
INSERT INTO "events" VALUES(35,'2026-03-02T08:04:12.000Z','vend_requested','{"sale":"0e490f63-5","slot":"A1"}','1d13ec0f0ba379e7b120525a3be53ce6b1d7fb35777c3953a2dfb5f5419caea7');
INSERT INTO "events" VALUES(36,'2026-03-02T08:04:19.000Z','vend_succeeded','{"sale":"0e490f63-5","slot":"A1"}','f516bba53bfaca848e37c6297b758c7ebb2a37abc700d1cb2ef48da07cffda8e');
INSERT INTO "events" VALUES(37,'2026-03-02T08:04:26.000Z','sale_opened','{"sale":"0e490f63-6","slot":"","product":"","price":100,"currency":"EUR","minimum_age":0,"test":true}','f781e30f3e560db2be6c68f131c5cbaf10c7f74bd0616f9bbb095064269edbf7');
INSERT INTO "events" VALUES(38,'2026-03-02T08:04:33.000Z','payment_requested','{"sale":"0e490f63-6","transaction":"0e490f63-6-1","amount":100}','019c43730de26b2f49f7b0e6f5040af6c4e311913709a0031da6e75481493a63');
INSERT INTO "events" VALUES(39,'2026-03-02T08:04:40.000Z','sale_closed','{"sale":"0e490f63-5","outcome":"test"}','93e84ec15872dfe83baee6ba0f67aac2b58b4a5ec7cd4ee4f4babfb028a0e8b3');
INSERT INTO "events" VALUES(40,'2026-03-02T08:04:47.000Z','payment_approved','{"sale":"0e490f63-6","transaction":"0e490f63-6-1","amount":100,"reference":"SIM000005"}','3c07a309a6fffa223519d07715846f28fdf6de33f4cd12ce34e2b18bbfac82ba');
INSERT INTO "events" VALUES(41,'2026-03-02T08:04:54.000Z','reversal_requested','{"sale":"0e490f63-6","transaction":"0e490f63-6-1","reason":"test"}','835efa81563ebf7837a701b781162b4a6d5aaefaaa4a08bc172663ec05f89ebd');
INSERT INTO "events" VALUES(42,'2026-03-02T08:05:01.000Z','payment_reversed','{"sale":"0e490f63-6","transaction":"0e490f63-6-1"}','81325632fa25121042ad36e0de9d72fc63c741a0920806ca836a4e1c86040321');
INSERT INTO "events" VALUES(43,'2026-03-02T08:05:08.000Z','setting_changed','{"name":"volume","value":"40"}','32283988cd26602a8fc65081ae49679c5d92e928bda7b16f880e911cd907be90');
INSERT INTO "events" VALUES(44,'2026-03-02T08:05:15.000Z','sale_closed','{"sale":"0e490f63-6","outcome":"test"}','352586637ead5f0c5f58b9bf7cdbf854e7b8e80d1b9e2f17b33a8305502ec436');
INSERT INTO "events" VALUES(45,'2026-03-02T08:05:22.000Z','checkpoint','{"layout":2,"ledger":{"opened":6,"sales":{},"transactions":{},"settled":["0e490f63-1-1","0e490f63-2-1"],"slots":{"A1":{"count":4,"blocked":false},"B1":{"count":2,"blocked":false},"B2":{"count":3,"blocked":false}},"prices":{"A1":{"slot":"A1","price":200,"instead_of":180,"currency":"EUR"}},"doubts":{},"replaced":{}}}','ef1e73db7687c608200cb36975c6c758a1cc3ad14f053a12b71e14ff933edfd4');
INSERT INTO "events" VALUES(46,'2026-03-02T08:05:29.000Z','pin_refused','{"role":"service","sale":"","locked_s":30}','61ace1ee0114b62643e425efec3ec1afd58e6fd5b9f25337c19cf302a6d2261c');
INSERT INTO "events" VALUES(47,'2026-03-02T08:05:36.000Z','sale_opened','{"sale":"0e490f63-7","slot":"B2","product":"Wine","price":990,"currency":"EUR","minimum_age":18,"test":false}','47e6e4b7273363775004fb0398b3a86ba3e0df264d78e8f82d6a7533ee8bbf52');
INSERT INTO "events" VALUES(48,'2026-03-02T08:05:43.000Z','age_cleared','{"sale":"0e490f63-7","result":"id_confirmed","by":"reader"}','2653f1c3d8dbeeac9b8054224d9d4ce170cf76d98cc5984befc4b641634cc75a');
INSERT INTO "events" VALUES(49,'2026-03-02T08:05:50.000Z','payment_requested','{"sale":"0e490f63-7","transaction":"0e490f63-7-1","amount":990}','d00835f4457daf0c4c464d9d6888a55e8e7bd2234fe37e642b1663892e7c59a5');
INSERT INTO "events" VALUES(50,'2026-03-02T08:05:57.000Z','payment_approved','{"sale":"0e490f63-7","transaction":"0e490f63-7-1","amount":990,"reference":"SIM000006"}','0fdd8efee3b35aa23b2f91e1016662e92db0d6139e3aebf3eeea29ccff7ad8e5');
INSERT INTO "events" VALUES(51,'2026-03-02T08:06:04.000Z','vend_requested','{"sale":"0e490f63-7","slot":"B2"}','2007968e0ea1929c435d5a6375ad50b7f84b02b81682dc891a98cd304a2008ab');
INSERT INTO "events" VALUES(52,'2026-03-02T08:06:11.000Z','vend_unknown','{"sale":"0e490f63-7","slot":"B2","reason":"silent"}','8f725999d293a74c71b29af42d21e742e1fb34c41e62a2194c5ca9f7b4c54460');
INSERT INTO "events" VALUES(53,'2026-03-02T08:06:18.000Z','payment_reversed','{"sale":"0e490f63-7","transaction":"0e490f63-7-1"}','ff2c100c6545e933b4707e4da3446aa5f55af7a8b65fcb39b071aa50c43e365f');
INSERT INTO "events" VALUES(54,'2026-03-02T08:06:25.000Z','sale_closed','{"sale":"0e490f63-7","outcome":"in_doubt"}','73e64f7215343781d8702d4ec8e9392dcc54f6fbfffb9a1cc062bc06dae13d7e');
INSERT INTO "events" VALUES(55,'2026-03-02T08:06:32.000Z','sale_opened','{"sale":"0e490f63-8","slot":"A1","product":"Water","price":200,"currency":"EUR","minimum_age":0,"test":false}','592f39e15514f703a878b8b4a1338e381011e36b6bba744c9e5955c43476c2c3');
INSERT INTO "events" VALUES(56,'2026-03-02T08:06:39.000Z','payment_requested','{"sale":"0e490f63-8","transaction":"0e490f63-8-1","amount":200}','157ac2b45f042809f759a6fbf8c0ed58952e5cbb4e4e0cd353eb07eee2272aa4');
INSERT INTO "events" VALUES(57,'2026-03-02T08:06:46.000Z','payment_approved','{"sale":"0e490f63-8","transaction":"0e490f63-8-1","amount":200,"reference":"SIM000007"}','d9cf4a478d651cbddafc20850a0d034f7c033a49d7a4770f88faa1ae9b060ea3');
CREATE TABLE head (seq INTEGER NOT NULL, hash TEXT NOT NULL);
INSERT INTO "head" VALUES(57,'d9cf4a478d651cbddafc20850a0d034f7c033a49d7a4770f88faa1ae9b060ea3');
CREATE TABLE journal (id TEXT NOT NULL, created TEXT NOT NULL);
INSERT INTO "journal" VALUES('0e490f63','2026-03-02T08:00:07+00:00');
CREATE TRIGGER events_in_order BEFORE INSERT ON events WHEN NEW.seq IS NOT (SELECT seq + 1 FROM head)
        BEGIN SELECT RAISE(ABORT, 'the journal is appended to in order'); END;
CREATE TRIGGER events_counted AFTER INSERT ON events BEGIN UPDATE head SET seq = NEW.seq, hash = NEW.hash; END;
CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER events_remain BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
COMMIT;
PRAGMA user_version = 2;
