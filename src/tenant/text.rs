//! Text that lies in blocks: rows that come by the million hold pieces of a few blocks instead of texts of their own,
//! and what many of them say is there once.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arcstr::{ArcStr, Substr};
use serde_json::Value;

use super::sign_in::AppliedPolicy;

/// Text that never changes and is cheap to clone: a piece of a block that other texts may lie in too.
pub type Text = Substr;

/// Rows that come in large numbers.
pub trait Compact: Sized {
    /// Makes rows take less memory; what they say stays the same. `known` is what rows before these said.
    fn compact(rows: &mut [Self], known: &mut Known) {
        let _ = (rows, known);
    }
}

impl Compact for Value {}
impl Compact for () {}
impl<K, V> Compact for BTreeMap<K, V> {}
impl<K, V> Compact for (K, V) {}
impl<T: Compact> Compact for Option<T> {}
impl Compact for super::Policy {}
impl Compact for super::NamedLocation {}
impl Compact for super::Strength {}

/// What was seen before, so that a repetition need not be kept.
#[derive(Debug, Default)]
pub struct Known {
    texts: HashSet<Text>,
    lists: HashSet<Arc<[Text]>>,
    verdicts: HashSet<Arc<[AppliedPolicy]>>,
}

impl Known {
    /// Shares this text with equal ones.
    pub fn text(&mut self, text: &mut Text) {
        match self.texts.get(text.as_str()) {
            Some(known) => known.clone_into(text),
            None => drop(self.texts.insert(text.clone())),
        }
    }

    /// Shares this list with equal ones.
    pub fn list(&mut self, list: &mut Arc<[Text]>) {
        if let Some(known) = self.lists.get(&**list) {
            *list = Arc::clone(known);
            return;
        }
        Arc::get_mut(list).into_iter().flatten().for_each(|text| self.text(text));
        self.lists.insert(Arc::clone(list));
    }

    /// Shares what the log says of the policies at one sign-in; most sign-ins have it in common with many others.
    pub fn verdicts(&mut self, list: &mut Arc<[AppliedPolicy]>) {
        if let Some(known) = self.verdicts.get(&**list) {
            *list = Arc::clone(known);
            return;
        }
        for verdict in Arc::get_mut(list).into_iter().flatten() {
            self.text(&mut verdict.id);
            self.text(&mut verdict.result);
            verdict.controls.iter_mut().for_each(|control| self.text(control));
        }
        self.verdicts.insert(Arc::clone(list));
    }
}

/// Lays texts that hardly repeat side by side in one block; `texts` names those of a row, always in the same order.
pub fn side_by_side<T>(rows: &mut [T], texts: impl Fn(&mut T, &mut dyn FnMut(&mut Text))) {
    let mut block = String::new();
    rows.iter_mut().for_each(|row| texts(row, &mut |text| block.push_str(text)));
    let (block, mut at) = (ArcStr::from(block), 0);
    for row in rows {
        texts(row, &mut |text| {
            let end = at + text.len();
            *text = block.substr(at..end);
            at = end;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_side_by_side_say_the_same_and_share_one_block() {
        let mut rows: Vec<[Text; 2]> = vec![["a".into(), "".into()], ["b€".into(), "c".into()]];
        let before = rows.clone();
        side_by_side(&mut rows, |row, each| row.iter_mut().for_each(each));
        assert_eq!(rows, before);
        assert!(ArcStr::ptr_eq(rows[0][0].parent(), rows[1][1].parent()));
    }

    #[test]
    fn an_equal_list_is_there_once() {
        let mut known = Known::default();
        let list = || -> Arc<[Text]> { Arc::from(["a".into(), "b".into()]) };
        let (mut one, mut other, mut third) = (list(), list(), Arc::from(["a".into()]));
        [&mut one, &mut other, &mut third].into_iter().for_each(|list| known.list(list));
        assert!(Arc::ptr_eq(&one, &other));
        assert!(ArcStr::ptr_eq(one[0].parent(), third[0].parent()), "the text is shared between lists too");
    }
}
