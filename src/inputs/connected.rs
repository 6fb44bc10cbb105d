//! Voxels that hang together: the neighbours of a voxel on a grid, and the sets that they connect.

use super::place_in;
use crate::config::Neighbours;

/// No voxel.
const NONE: u32 = u32::MAX;

impl Neighbours {
    /// Along how many axes a neighbour may be one step away.
    const fn axes(self) -> usize {
        match self {
            Self::Faces => 1,
            Self::Edges => 2,
            Self::Corners => 3,
        }
    }

    /// The neighbours of a voxel (a linear index, axis 0 fastest) on a grid, ascending.
    pub fn of(self, shape: [usize; 3], voxel: usize) -> impl Iterator<Item = usize> {
        let at = place_in(shape, voxel);
        (0..27_usize).filter_map(move |step| {
            let steps = [step % 3, step / 3 % 3, step / 9];
            let moved = steps.iter().filter(|step| **step != 1).count();
            if moved == 0 || moved > self.axes() {
                return None;
            }
            let mut neighbour = [0; 3];
            for (axis, neighbour) in neighbour.iter_mut().enumerate() {
                *neighbour = (at[axis] + steps[axis]).checked_sub(1).filter(|place| *place < shape[axis])?;
            }
            Some(neighbour[0] + shape[0] * (neighbour[1] + shape[1] * neighbour[2]))
        })
    }
}

/// Finds the connected sets of lists of voxels of one grid, by joining each voxel with the neighbours before it
/// (union-find).
#[derive(Debug, Clone)]
pub struct Connected {
    shape: [usize; 3],
    neighbours: Neighbours,
    /// Of each voxel of the grid its place in the list at hand; all [`NONE`] between lists.
    places: Vec<u32>,
    /// Of each place another one of its set, nearer to the first of the set.
    parents: Vec<u32>,
}

/// The connected sets of a list of voxels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Components {
    /// The set of each voxel of the list; sets are numbered from 0 in the order of their first voxels.
    pub labels: Vec<u32>,
    /// Voxels of each set.
    pub sizes: Vec<usize>,
}

impl Connected {
    /// On a grid of this shape.
    pub fn new(shape: [usize; 3], neighbours: Neighbours) -> Self {
        Self { shape, neighbours, places: vec![NONE; shape.iter().product()], parents: Vec::new() }
    }

    /// The sets of `voxels`, ascending linear indices; two neighbours are joined where `joins` says so of their places in
    /// the list.
    pub fn components(&mut self, voxels: &[u32], joins: impl Fn(usize, usize) -> bool) -> Components {
        self.parents.clear();
        for (place, &voxel) in voxels.iter().enumerate() {
            self.parents.push(place as u32);
            let before = self.neighbours.of(self.shape, voxel as usize).take_while(|&other| other < voxel as usize);
            for other in before {
                let other = self.places[other];
                if other != NONE && joins(other as usize, place) {
                    join(&mut self.parents, other, place as u32);
                }
            }
            self.places[voxel as usize] = place as u32;
        }
        for &voxel in voxels {
            self.places[voxel as usize] = NONE;
        }
        let mut found = Components { labels: Vec::with_capacity(voxels.len()), sizes: Vec::new() };
        for place in 0..voxels.len() {
            let first = root(&mut self.parents, place as u32) as usize;
            let label = if first == place {
                found.sizes.push(0);
                found.sizes.len() as u32 - 1
            } else {
                found.labels[first]
            };
            found.labels.push(label);
            found.sizes[label as usize] += 1;
        }
        found
    }
}

fn root(parents: &mut [u32], mut place: u32) -> u32 {
    while parents[place as usize] != place {
        let parent = parents[place as usize];
        parents[place as usize] = parents[parent as usize]; // the next walk is half as long
        place = parent;
    }
    place
}

/// Joins the sets of two places; the first of all stands for them.
fn join(parents: &mut [u32], a: u32, b: u32) {
    let (a, b) = (root(parents, a), root(parents, b));
    parents[a.max(b) as usize] = a.min(b);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_face_an_edge_or_a_corner() {
        let shape = [3, 3, 3];
        for (neighbours, inside, at_a_corner) in
            [(Neighbours::Faces, 6, 3), (Neighbours::Edges, 18, 6), (Neighbours::Corners, 26, 7)]
        {
            assert_eq!(neighbours.of(shape, 13).count(), inside);
            assert_eq!(neighbours.of(shape, 0).count(), at_a_corner);
            let all: Vec<usize> = neighbours.of(shape, 13).collect();
            assert!(all.is_sorted());
        }
        assert_eq!(Neighbours::Faces.of([4, 1, 2], 1).collect::<Vec<_>>(), [0, 2, 5]);
    }

    #[test]
    fn sets_are_numbered_by_their_first_voxels_and_joined_late() {
        // two arms of a U meet in the last row
        let shape = [3, 3, 1];
        let mut connected = Connected::new(shape, Neighbours::Faces);
        let found = connected.components(&[0, 2, 3, 5, 6, 7, 8], |_, _| true);
        assert_eq!(found, Components { labels: vec![0; 7], sizes: vec![7] });
        // and nothing is left of it in the next list
        let found = connected.components(&[0, 2, 4, 8], |_, _| true);
        assert_eq!(found, Components { labels: vec![0, 1, 2, 3], sizes: vec![1; 4] });
        let mut connected = Connected::new(shape, Neighbours::Edges);
        let found = connected.components(&[0, 2, 4, 8], |_, other| other != 3);
        assert_eq!(found, Components { labels: vec![0, 0, 0, 1], sizes: vec![3, 1] });
    }
}
